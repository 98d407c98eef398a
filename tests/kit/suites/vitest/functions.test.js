import { createRequire } from 'node:module';
import { afterAll, beforeAll, beforeEach, test } from 'vitest';

createRequire(import.meta.url)('../shared/functions')({ test, beforeAll, beforeEach, afterAll });
