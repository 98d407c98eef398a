import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { globalSetup: './setup.mjs', testTimeout: 60_000, hookTimeout: 60_000 } });
