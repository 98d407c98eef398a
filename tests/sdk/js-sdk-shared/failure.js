// What an SDK makes of a refusal: some calls throw, some answer it, with the code in one of several places.
'use strict';

async function failure(promise) {
  try {
    return described(await promise);
  } catch (error) {
    return described(error);
  }
}

function described(found) {
  const texts = [found?.message, found?.error_description, found?.data?.message, found?.error?.message];
  const message = texts.find((text) => typeof text === 'string') ?? '';
  const wrapped = /\[([A-Z_]+)\]/.exec(message)?.[1];
  const codes = [wrapped, found?.data?.code, found?.error?.code, found?.code, found?.error];
  return { code: codes.find((code) => typeof code === 'string'), message };
}

module.exports = { failure };
