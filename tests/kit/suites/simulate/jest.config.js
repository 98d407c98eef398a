module.exports = { rootDir: '..', roots: ['<rootDir>/simulate'], testEnvironment: 'jsdom', testTimeout: 60_000 };
