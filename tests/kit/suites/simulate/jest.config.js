module.exports = { rootDir: '..', roots: ['<rootDir>/simulate'], testEnvironment: 'jsdom' };
