// Loaded ahead of the command: writes down every private key that it makes, so that these can be looked for.
const crypto = require('node:crypto');
const { appendFileSync } = require('node:fs');

const { generateKeyPairSync } = crypto;
crypto.generateKeyPairSync = (...args) => {
  const pair = generateKeyPairSync(...args);
  appendFileSync(process.env.CANARY_TAP, pair.privateKey.export({ type: 'sec1', format: 'pem' }));
  return pair;
};
