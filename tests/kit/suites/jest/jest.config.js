module.exports = {
  globalSetup: './setup.js',
  globalTeardown: './teardown.js',
  rootDir: '..',
  roots: ['<rootDir>/jest'],
};
