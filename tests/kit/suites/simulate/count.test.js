// A component, rendered by miniprogram-simulate, whose `wx.cloud` answers.
const path = require('node:path');
const simulate = require('miniprogram-simulate');
const { startEmulator } = require('mini-program-cloud-emulator');
const { useSimulate } = require('mini-program-cloud-emulator/simulate');

let emulator;
let restore;
beforeAll(async () => {
  const todo = path.join(__dirname, '../todo');
  emulator = await startEmulator({ project: todo, fixtures: todo });
  restore = useSimulate(simulate, emulator, { as: 'alice' });
});
afterAll(() => {
  restore();
  return emulator.stop();
});

test('the component shows how many todos are open, and adds one', async () => {
  const component = simulate.render(simulate.load(path.join(__dirname, 'component/count')));
  component.attach(document.createElement('parent-wrapper'));
  const text = (selector) => component.querySelector(selector).dom.textContent;
  await until(() => text('.open') === '9');
  component.querySelector('.add').dispatchEvent('tap');
  await until(() => text('.open') === '10' && text('.last') === 'oALICE0000000000000000000001');
  await emulator.expectCall('addTodo', { as: 'alice', event: { title: '买菜' }, times: 1 });
  component.detach();
});

async function until(condition) {
  for (let tries = 0; !condition(); tries += 1) {
    expect(tries).toBeLessThan(1000);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
