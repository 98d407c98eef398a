// The pages of the mini program in two simulators with two users beside one emulator: what one does, the other sees.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { useEmulator } = require('./support/emulator');
const { PROJECT, copyMiniprogram } = require('./support/miniprogram');
const { openSimulator } = require('./support/simulator');

const { appid } = JSON.parse(fs.readFileSync(path.join(PROJECT, 'project.config.json'), 'utf8'));
const PICTURE = path.join(PROJECT, 'storage/covers/home.png');
const NOT_YOURS = '只能修改自己添加的待办';

let alice;
let bob;
const emulator = useEmulator({
  prepare: async () => {
    const simulator = { folder: copyMiniprogram(), address: emulator.url, appid };
    alice = await openSimulator({ ...simulator, openid: 'oALICE0000000000000000000001' });
    bob = await openSimulator({ ...simulator, openid: 'oBOB000000000000000000000002' });
  },
});

const titles = (simulator) => simulator.texts('.todo__title');

/** Which row a todo stands in, once `simulator` shows it. */
async function rowOf(simulator, title) {
  await simulator.until(async () => (await titles(simulator)).includes(title), title);
  return (await titles(simulator)).indexOf(title);
}

/** Opens the list in both simulators and waits until both show it. */
async function openTodos() {
  for (const simulator of [alice, bob]) {
    await simulator.open('pages/todos/todos');
    await rowOf(simulator, '买牛奶和鸡蛋');
    await simulator.until(async () => (await simulator.texts('.todo__list')).every(Boolean), 'the names of the lists');
  }
}

/** Adds a todo in alice's simulator, to the list that the picker shows as the `list`th. */
async function addTodo(title, list) {
  await alice.choose('.new__list', list);
  await alice.type('.new__title', title);
  await alice.tap('.new__add');
}

/** Waits until the last toast of `simulator` is the `count`th and answers it. */
async function toast(simulator, count) {
  await simulator.until(async () => (await simulator.toasts()).length === count, `toast ${count}`);
  return (await simulator.toasts()).at(-1);
}

test('everybody sees all todos, newest first, with their lists', async () => {
  await openTodos();
  assert.deepEqual(await titles(bob), await titles(alice));
  assert.equal((await titles(alice)).length, 12);
  assert.deepEqual((await titles(alice)).slice(0, 2), ['给相机充电', 'Snacks for the road']);
  assert.deepEqual((await alice.texts('.todo__list')).slice(0, 3), ['周末出游', '周末出游', 'Work']);
  assert.match((await alice.texts('.todo__due'))[0], /^11月1\d日 \d\d:\d\d 截止$/);
});

test("what one adds, ticks off and removes, the other's watch shows", async () => {
  await openTodos();
  const isDone = async (simulator, title) =>
    (await simulator.attribute('.todo__done', 'type', await rowOf(simulator, title))) === 'success';
  await addTodo('  给花换盆  ', 1);
  const row = await rowOf(bob, '给花换盆');
  assert.equal((await bob.texts('.todo__list'))[row], '家里');
  assert.equal(await isDone(bob, '给花换盆'), false);
  await alice.tap('.todo__done', await rowOf(alice, '给花换盆'));
  await bob.until(() => isDone(bob, '给花换盆'), 'the tick');
  await alice.tap('.todo__done', await rowOf(alice, '给花换盆'));
  await bob.until(async () => !(await isDone(bob, '给花换盆')), 'the tick to go');
  await alice.tap('.todo__remove', await rowOf(alice, '给花换盆'));
  await bob.until(async () => !(await titles(bob)).includes('给花换盆'), 'the todo to go');
  assert.deepEqual([await alice.toasts(), await bob.toasts()], [[], []]);
});

test("somebody else's todo can be read only", async () => {
  await openTodos();
  await bob.tap('.todo__done', await rowOf(bob, '浇花'));
  assert.equal(await toast(bob, 1), NOT_YOURS);
  await bob.tap('.todo__remove', await rowOf(bob, '浇花'));
  assert.equal(await toast(bob, 2), NOT_YOURS);
  assert.equal(await bob.attribute('.todo__done', 'type', await rowOf(bob, '浇花')), 'circle');
});

test('a picture goes up, and is there for both', async () => {
  await openTodos();
  await alice.tap('.todo', await rowOf(alice, '浇花'));
  await alice.until(async () => (await alice.texts('.choose'))[0] === '添加图片', 'the todo');
  await alice.answerChooseMedia(PICTURE);
  await alice.tap('.choose');
  await alice.until(async () => (await alice.texts('.choose'))[0] === '更换图片', 'the picture');
  await bob.until(async () => (await bob.texts('.todo__picture')).length === 1, 'the mark of a picture');
  await bob.tap('.todo', await rowOf(bob, '浇花'));
  await bob.until(async () => (await bob.texts('.choose'))[0] === '更换图片', 'the picture');
  for (const simulator of [alice, bob]) {
    const response = await fetch(await simulator.attribute('.picture', 'src'));
    assert.equal(response.headers.get('content-type'), 'image/png');
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), fs.readFileSync(PICTURE));
  }
});

test("the next picture takes the place of the first, unless the todo is somebody else's", async () => {
  await openTodos();
  await alice.tap('.todo', await rowOf(alice, '换客厅的灯泡'));
  await alice.answerChooseMedia(PICTURE);
  const next = async (before) => {
    await alice.until(async () => (await alice.texts('.choose')).length === 1, 'the todo');
    await alice.tap('.choose');
    const shown = async () => (await alice.texts('.choose'))[0] === '更换图片' && alice.attribute('.picture', 'src');
    await alice.until(async () => ![undefined, false, before].includes(await shown()), 'the picture');
    return shown();
  };
  const first = await next();
  assert.notEqual(await next(first), first);
  assert.equal((await fetch(first)).status, 404);

  const toasts = (await bob.toasts()).length;
  await bob.tap('.todo', await rowOf(bob, '浇花'));
  await bob.until(async () => (await bob.texts('.choose')).length === 1, 'the todo');
  await bob.answerChooseMedia(PICTURE);
  await bob.tap('.choose');
  assert.equal(await toast(bob, toasts + 1), NOT_YOURS);
});

test("cloud functions count and export what is the user's", async () => {
  await bob.open('pages/summary/summary');
  await bob.until(async () => (await bob.texts('.count__number')).length === 3, 'the summary');
  assert.deepEqual(await bob.texts('.count'), ['4全部', '3未完成', '1紧急']);
  assert.match((await bob.texts('.next'))[0], /^最近截止：买去杭州的高铁票，11月1[23]日 \d\d:\d\d$/);
  assert.deepEqual(await bob.texts('.list'), ['周末出游：3 项未完成', '家里：0 项未完成', 'Work：0 项未完成']);
  await bob.tap('.export');
  await bob.until(async () => (await bob.texts('.exported__file')).length > 0, 'the export');
  assert.deepEqual(await bob.texts('.exported__file'), ['list-trip.csv']);
  const [, filePath] = /^已导出 4 项，保存在 (.+)$/.exec((await bob.texts('.exported__todos'))[0]);
  assert.equal(fs.readFileSync(filePath).subarray(0, 2).toString(), 'PK');
});
