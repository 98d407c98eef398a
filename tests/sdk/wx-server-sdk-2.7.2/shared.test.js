// The tests that both sides of the mini program's API share (tests/client/shared), with wx-server-sdk 2.7.2.
'use strict';

const { testShared } = require('../support/wx-server-sdk');

testShared({ name: 'wx-server-sdk 2.7.2', sdk: require('wx-server-sdk') });
