// What is refused, by which code and in which words (semantics §1.3, §9). The words around them are each side's own:
// tests/differences/error-format.test.js.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { assertFails } = require('../support/errors');

const WRITE_ERROR = '[FailedOperation] multiple write errors: [{write errors: [{';

module.exports = (side) => {
  test('a collection that is missing is not made (DB-1.14)', async () => {
    const c = side.db.collection('nowhere');
    const text = '[ResourceNotFound] Db or Table not exist: nowhere. Please check your request, but if the problem ';
    await assertFails(c.get(), -502005, 'collection.get:fail ', 'database collection not exists', text);
    await assertFails(c.count(), -502005, 'collection.count:fail ', text);
    await assertFails(c.add({ data: {} }), -502005, 'collection.add:fail ', text);
    await assertFails(c.where({}).update({ data: { a: 1 } }), -502005, 'collection.update:fail ', text);
    await assertFails(c.where({}).remove(), -502005, 'collection.remove:fail ', text);
    await assertFails(c.doc('a').get(), -502005, 'document.get:fail ', text);
    await assertFails(c.doc('a').set({ data: { a: 1 } }), -502005, 'document.set:fail ', text);
    await assertFails(c.doc('a').update({ data: { a: 1 } }), -502005, 'document.update:fail ', text);
    await assertFails(c.doc('a').remove(), -502005, 'document.remove:fail ', text);
  });

  test('an id that is taken (DB-1.13)', async () => {
    const c = await side.collection([{ _id: 'a' }]);
    await assertFails(
      c.add({ data: { _id: 'a' } }),
      -502001,
      `collection.add:fail `,
      `${WRITE_ERROR}E11000 duplicate key error collection: `,
      ' index: _id_ dup key: { : "a" }',
    );
    assert.equal((await c.count()).total, 1);
  });

  test('updates that cannot be (§3)', async () => {
    const _ = side.db.command;
    const c = await side.collection([{ _id: 'a', none: null, text: 'x' }]);
    const update = (data) => c.doc('a').update({ data });
    const check = (data, text) => assertFails(update(data), -502001, 'document.update:fail ', text);
    await check({ none: { deep: 1 } }, `${WRITE_ERROR}Cannot create field 'deep' in element {none: null}`);
    await check({ text: _.inc(1) }, 'Cannot apply $inc to a value of non-numeric type. {_id: "a"} has the field');
    await check(
      { text: _.push(1) },
      'The field \'text\' must be an array but is of type string in document {_id: "a"}',
    );
    await check({ text: _.addToSet(1) }, "Cannot apply $addToSet to non-array field. Field named 'text'");
    await check({ text: _.pull(1) }, 'Cannot apply $pull to a non-array value');
    await check({ text: _.pop() }, "Path 'text' contains an element of non-array type 'string'");
    await check({ o: _.inc(1), 'o.p': 2 }, "Updating the path 'o.p' would create a conflict at 'o'");
    await check({ none: {} }, "'$set' is empty. You must specify a field like so: {$set: {<field>: ...}}");
    await check({ none: undefined }, "'$set' is empty");
    await check({ n: _.gt(1) }, "The dollar ($) prefixed field '$gt' in 'n.$gt' is not valid for storage.");
    assert.deepEqual(side.content((await c.doc('a').get()).data), { _id: 'a', none: null, text: 'x' });
  });

  test('an _id in the data of update and set (§1.3)', async () => {
    const c = await side.collection([{ _id: 'a' }]);
    const texts = ['invalid parameters', '不能更新_id的值'];
    await assertFails(c.doc('a').update({ data: { _id: 'b' } }), -501007, 'document.update:fail ', ...texts);
    await assertFails(c.doc('a').set({ data: { _id: 'b' } }), -501007, 'document.set:fail ', ...texts);
    assert.equal((await c.doc('a').update({ data: { deep: { _id: 'b' } } })).stats.updated, 1, 'deeper it may be');
  });

  test('documents that cannot be', async () => {
    const _ = side.db.command;
    const c = await side.collection();
    await assertFails(c.add({ data: { $a: 1 } }), -502001, 'collection.add:fail ', "Document can't have $ prefixed");
    await assertFails(c.doc('a').set({ data: { n: _.inc(1) } }), -502001, 'update operator complicit');
    await assertFails(c.add({ data: { n: 1n } }), -1, 'collection.add:fail Do not know how to serialize a BigInt');
    assert.equal((await c.count()).total, 0);
  });

  test('update and remove without where (UNC-07)', async () => {
    const c = await side.collection([{ _id: 'a' }]);
    await assertFails(c.update({ data: { n: 1 } }), -501007, 'collection.update:fail ', 'invalid parameters');
    await assertFails(c.remove(), -501007, 'collection.remove:fail ', 'invalid parameters');
    assert.deepEqual((await c.get()).data.map(side.content), [{ _id: 'a' }]);
  });

  test('queries that mean nothing to the database', async () => {
    const c = await side.collection([{ _id: 'a', n: 1 }]);
    await assertFails(c.where({ n: { $gtt: 1 } }).get(), -502001, 'unknown operator: $gtt');
    await assertFails(c.where({ $both: [] }).count(), -502001, 'unknown top level operator: $both');
    await assertFails(
      c.field({ n: 1, m: 0 }).get(),
      -502001,
      'Projection cannot have a mix of inclusion and exclusion',
    );
    await assertFails(c.where({ n: side.db.command.mod(0, 1) }).get(), -502001, 'divisor cannot be 0');
  });

  test('what is thrown at once (§1.3, DB-1.03, DB-1.05)', async () => {
    const c = await side.collection();
    const check = (work, message) => assert.throws(work, { message });
    check(() => side.db.collection(''), 'Collection name is required');
    check(() => side.db.collection(), 'Collection name is required');
    check(() => c.doc({}), 'docId必须为字符串或数字');
    check(() => c.doc(undefined), 'docId必须为字符串或数字');
    check(() => c.where('n = 1'), '查询参数必须为对象');
    check(() => c.where({ a: undefined }), '查询参数对象值不能均为undefined');
    check(() => c.limit(1.5), 'limitmust be integer');
    check(() => c.skip('1'), 'offsetmust be integer');
    check(() => c.orderBy('n', 'ASC'), '排序字符不合法');
    check(() => c.orderBy('$n', 'asc'), '');
    check(() => side.db.Geo.Point(181, 0), 'longitude should be a number ranges from -180 to 180');
    check(() => side.db.Geo.Point(0, 91), 'latitude should be a number ranges from -90 to 90');
    check(() => side.db.Geo.Point('1', 2), 'Geo Point must be number type');
  });
};
