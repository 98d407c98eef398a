import { createRequire } from 'node:module';
import { afterAll, beforeAll, beforeEach, test } from 'vitest';

createRequire(import.meta.url)('../shared/todos')({ test, beforeAll, beforeEach, afterAll });
