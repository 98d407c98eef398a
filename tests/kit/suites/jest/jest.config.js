module.exports = {
  rootDir: '..',
  roots: ['<rootDir>/jest'],
  globalSetup: '<rootDir>/jest/setup.js',
  globalTeardown: '<rootDir>/jest/teardown.js',
  testTimeout: 60_000,
};
