// The client beside miniprogram-api-typings: the types check, and every name they give is there.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const path = require('node:path');
const { before, test } = require('node:test');
const typescript = require('typescript');
const { openSimulator } = require('./support/simulator');

const TYPINGS = require.resolve('miniprogram-api-typings/types/wx/lib.wx.cloud.d.ts');
const UNSERVED = ['CDN', 'callContainer', 'connectContainer', 'extend', 'services'];

let cloud;
let db;
before(() => {
  cloud = openSimulator({ place: { address: 'http://127.0.0.1:9' } }).wx.cloud;
  cloud.init();
  db = cloud.database();
});

test('what uses the client as its types say compiles', () => {
  const compiler = require.resolve('typescript/bin/tsc');
  try {
    execFileSync(process.execPath, [compiler, '-p', path.join(__dirname, 'types')], { encoding: 'utf8' });
  } catch (error) {
    assert.fail(error.stdout);
  }
});

test('every member that the typings name is there', () => {
  const { command } = db;
  const collection = db.collection('c');
  const subjects = {
    WxCloud: cloud,
    'DB.Database': db,
    'DB.CollectionReference': collection,
    'DB.DocumentReference': collection.doc('x'),
    'DB.Query': collection.where({}),
    'DB.Aggregate': collection.aggregate(),
    'DB.DatabaseCommand': command,
    'DB.DatabaseCommand.aggregate': command.aggregate,
    'DB.DatabaseCommand.project': command.project,
    'DB.DatabaseQueryCommand': command.eq(1),
    'DB.DatabaseLogicCommand': command.and([]),
    'DB.IGeo': db.Geo,
    'DB.GeoPoint': db.Geo.Point(1, 2),
    'DB.GeoLineString': db.Geo.LineString([db.Geo.Point(1, 2), db.Geo.Point(2, 3)]),
    'DB.GeoMultiPoint': db.Geo.MultiPoint([db.Geo.Point(1, 2)]),
    'DB.ServerDate': db.serverDate(),
    'DB.RegExp': db.RegExp({ regexp: 'x' }),
  };
  const members = membersByType();
  for (const [type, subject] of Object.entries(subjects)) {
    assert.ok(members[type]?.length, `the typings have no ${type}`);
    assert.deepEqual(
      members[type].filter((name) => !(name in subject)),
      [],
      `missing in ${type}`,
    );
  }
});

test('what the typings name and is not served refuses by its name', () => {
  for (const name of UNSERVED) {
    assert.throws(() => new cloud[name](), { message: `not supported by the emulator: wx.cloud.${name}` });
  }
  const served = membersByType().WxCloud.filter((name) => !UNSERVED.includes(name));
  for (const name of served) {
    assert.ok(!String(cloud[name]).includes('unserved'), name);
  }
});

/** The names of the members of every interface and class of the typings, and of the object types in them. */
function membersByType() {
  const source = typescript.createSourceFile(
    TYPINGS,
    typescript.sys.readFile(TYPINGS),
    typescript.ScriptTarget.ESNext,
    true,
  );
  const members = {};
  const visit = (node, prefix) => {
    if (typescript.isModuleDeclaration(node)) {
      node.body.statements.forEach((statement) => visit(statement, `${node.name.text}.`));
    } else if ((typescript.isInterfaceDeclaration(node) || typescript.isClassDeclaration(node)) && node.name) {
      collect(node.members, prefix + node.name.text);
    }
  };
  const collect = (nodes, type) => {
    for (const member of nodes) {
      const name = member.name?.text;
      if (name && !name.startsWith('__')) {
        members[type] = [...(members[type] ?? []), name];
        if (member.type && typescript.isTypeLiteralNode(member.type)) {
          collect(member.type.members, `${type}.${name}`);
        }
      }
    }
  };
  source.statements.forEach((statement) => visit(statement, ''));
  return members;
}
