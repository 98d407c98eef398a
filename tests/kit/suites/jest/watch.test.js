require('../shared/watch')({ test, beforeAll, beforeEach, afterAll });
