// One app of the SDK, pointed at the emulator as a user would point it (protocol §1.5).
'use strict';

/** `host` is `127.0.0.1:PORT`. Versions from 3.7 on take it in one call; those before bind the door of signing in at `init`. */
function openApp(cloudbase, host, env, options = {}) {
  const app = cloudbase.init({ env, region: 'ap-shanghai', ...options });
  if (app.registerHost) {
    app.registerHost(host, 'http');
  } else {
    app.registerEndPointWithKey({ key: 'CLOUD_API', url: `//${host}/web`, protocol: 'http' });
    app.registerEndPointWithKey({ key: 'GATEWAY', url: `//${host}/v1`, protocol: 'http' });
  }
  const auth = app.auth({ persistence: 'local' });
  return { app, auth, db: app.database(), env };
}

/** As what a mini program's `auth.signInWithOpenId` does, for pages that have no `wx`. */
async function signInWithProvider(auth, appid, code) {
  const wechat = { provider_id: appid, provider_code: code, provider_params: { provider_code_type: 'open_id', appid } };
  const { provider_token } = await auth.grantProviderToken(wechat);
  await auth.signInWithProvider({ provider_token });
}

/** Runs one row of a subject: signed in anonymously, unless the subject is signing in itself. */
async function runRow(page, admin, row, signsIn) {
  if (!signsIn) {
    await page.auth.signInAnonymously();
    page.uid = (await page.auth.getUserInfo()).uid;
  }
  return row.run(page, admin);
}

module.exports = { openApp, runRow, signInWithProvider };
