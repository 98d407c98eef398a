require('../shared/functions')({ test, beforeAll, beforeEach, afterAll });
