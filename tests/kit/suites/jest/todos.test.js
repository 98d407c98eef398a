require('../shared/todos')({ test, beforeAll, beforeEach, afterAll });
