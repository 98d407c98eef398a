// Every way to sign in, and out again (protocol §5.2). Rows: what a page does, and what it must find.
'use strict';

const { failure } = require('../failure');

const TICKET_LIFE_MS = 60_000;

module.exports = [
  {
    name: 'a page signs in anonymously and is told who it is',
    async run({ auth }) {
      await auth.signInAnonymously();
      const { uid, name } = await auth.getUserInfo();
      return { isUid: /^[0-9a-f]{32}$/.test(uid), name, isSignedIn: Boolean(await auth.getLoginState()) };
    },
    expected: { isUid: true, name: 'anonymous', isSignedIn: true },
  },
  {
    name: 'a user signs in with a password, by name, e-mail address or telephone',
    async run({ auth }, admin) {
      const openid = await admin.addUser({ name: 'alice', password: 'secret-1', email: 'alice@example.com', phone: '13800000000' });
      const found = [];
      for (const username of ['alice', 'alice@example.com', '+86 13800000000']) {
        await auth.signIn({ username, password: 'secret-1' });
        const user = await auth.getUserInfo();
        found.push([user.uid === openid, user.username]);
      }
      return found;
    },
    expected: [
      [true, 'alice'],
      [true, 'alice'],
      [true, 'alice'],
    ],
  },
  {
    name: 'a wrong password and an unknown user are told',
    async run({ auth }, admin) {
      await admin.addUser({ name: 'bob', password: 'secret-2' });
      const wrong = await failure(auth.signIn({ username: 'bob', password: 'secret-1' }));
      const unknown = await failure(auth.signIn({ username: 'nobody', password: 'secret-1' }));
      return [wrong.code, unknown.code];
    },
    expected: ['invalid_password', 'not_found'],
  },
  {
    name: 'an e-mail address signs up with the code that was sent to it, and signs in with its password',
    async run({ auth }, admin) {
      const email = 'carol@example.com';
      const verification = await auth.getVerification({ email });
      const code = await admin.codeSentTo(email);
      const { verification_token } = await auth.verify({ verification_id: verification.verification_id, verification_code: code });
      await auth.signUp({ email, verification_code: code, verification_token, username: 'carol', password: 'secret-3' });
      const signedUp = await auth.getUserInfo();
      await auth.signOut();
      await auth.signIn({ username: email, password: 'secret-3' });
      const signedIn = await auth.getUserInfo();
      const again = await auth.getVerification({ email });
      return [verification.is_user, again.is_user, signedUp.username, signedUp.email, signedIn.uid === signedUp.uid];
    },
    expected: [false, true, 'carol', 'carol@example.com', true],
  },
  {
    name: 'a telephone signs up and in with a code',
    async run({ auth }, admin) {
      const phoneNum = '13900000000';
      const uids = [];
      for (let time = 0; time < 2; time += 1) {
        const verificationInfo = await auth.getVerification({ phone_number: phoneNum });
        const verificationCode = await admin.codeSentTo('+8613900000000');
        await auth.signInWithSms({ verificationInfo, verificationCode, phoneNum });
        const { uid, phone_number } = await auth.getUserInfo();
        uids.push(uid, phone_number);
      }
      return [uids[0] === uids[2], uids[1]];
    },
    expected: [true, '+8613900000000'],
  },
  {
    name: 'a code is good for the one it was sent to, once',
    async run({ auth }, admin) {
      const { verification_id } = await auth.getVerification({ email: 'dave@example.com' });
      const code = await admin.codeSentTo('dave@example.com');
      const wrong = await failure(auth.verify({ verification_id, verification_code: '000000' }));
      await auth.verify({ verification_id, verification_code: code });
      const again = await failure(auth.verify({ verification_id, verification_code: code }));
      return [wrong.code, again.code];
    },
    expected: ['invalid_verification_code', 'invalid_verification_code'],
  },
  {
    name: 'a ticket signs in the user it names',
    async run({ auth, env }) {
      const claims = { alg: 'RS256', env, iat: Date.now(), exp: Date.now() + TICKET_LIFE_MS, uid: 'user-1234', refresh: 3600_000 };
      auth.setCustomSignFunc(() => `key/@@/e30.${btoa(JSON.stringify(claims))}.c2lnbg`);
      await auth.signInWithCustomTicket();
      return (await auth.getUserInfo()).uid;
    },
    expected: 'user-1234',
  },
  {
    name: 'a wx.login code signs in the user whose name it is, any other the default one',
    async run(page, admin) {
      const erin = await admin.addUser({ name: 'erin' });
      const standard = await admin.defaultOpenid();
      await page.signInWithWechat('erin');
      const named = (await page.auth.getUserInfo()).uid;
      await page.signInWithWechat('0a1b2c');
      const other = (await page.auth.getUserInfo()).uid;
      return [named === erin, other === standard];
    },
    expected: [true, true],
  },
  {
    name: 'an access token is refreshed',
    async run(page, admin) {
      await page.auth.signInAnonymously();
      const before = await page.auth.getAccessToken();
      const { uid } = await page.auth.getUserInfo();
      await page.auth.refreshTokenForce();
      const after = await page.auth.getAccessToken();
      const name = await admin.collection();
      await page.db.collection(name).add({ _id: 'a' });
      const [document] = await admin.documents(name);
      return [before.accessToken !== after.accessToken, document._openid === uid];
    },
    expected: [true, true],
  },
  {
    name: 'who has signed out is nobody, and their refresh token is worthless',
    async run({ app, auth, db }, admin) {
      await auth.signInAnonymously();
      const { refresh_token } = await app.oauthInstance.oauth2client.getCredentials();
      await auth.signOut();
      const name = await admin.collection();
      await failure(db.collection(name).add({ a: 1 }));
      return [await auth.getLoginState(), await admin.documents(name), await admin.refresh(refresh_token)];
    },
    expected: [null, [], 'invalid_grant'],
  },
];
