// The tests that both sides of the mini program's API share (tests/client/shared), with wx-server-sdk 3.0.4.
'use strict';

const { testShared } = require('../support/wx-server-sdk');

testShared({ name: 'wx-server-sdk 3.0.4', sdk: require('wx-server-sdk') });
