// Verifies a file of `millrace audit export` with Node.js alone: node verify.mjs FILE [NUMBER:HASH] [KEY...]
// NUMBER:HASH is a seal that was noted earlier (`millrace audit head`), KEY the id of a key that may sign. docs/audit.md has the format.
import { createHash, createPublicKey, verify } from 'node:crypto';
import { createReadStream } from 'node:fs';
const [file, noted, ...trusted] = process.argv.slice(2);
const sha256 = (content) => createHash('sha256').update(content).digest('hex');
const need = (holds, message) => holds || process.exit(console.log(`NOT AS IT WAS: ${message}`) ?? 1);
const keys = new Map();
const isSigned = (id, text, signature) =>
  keys.has(id) && verify(null, Buffer.from(text), keys.get(id), Buffer.from(signature, 'base64'));
let [hashes, rest, events, erased, isNoted] = [[], '', 0, 0, !noted];
let bundle, seal, hash, end;
function addKey({ id, publicKey }) {
  const key = createPublicKey(publicKey);
  const isItsId = sha256(key.export({ type: 'spki', format: 'der' })).slice(0, 32) === id;
  if (isItsId && (!trusted[0] || trusted.includes(id))) keys.set(id, key);
}
function closeSeal() {
  const isSame = sha256(Buffer.from(hashes.join(''), 'hex')) === seal?.root && hashes.length === seal.events;
  need(!seal || isSame, `an event of seal ${seal?.number} was changed, taken out or put in.`);
}
function openSeal({ seal: text, signature }) {
  closeSeal();
  const next = JSON.parse(text);
  need(next.number === (seal?.number ?? bundle.fromSeal - 1) + 1, `a seal before ${next.number} is missing.`);
  need(!seal || next.previous === hash, `seal ${next.number} does not follow the one before it.`);
  need(isSigned(next.keyId, text, signature), `seal ${next.number} is forged, or its key unknown.`);
  [seal, hash, hashes] = [next, sha256(text), []];
  isNoted ||= noted === `${seal.number}:${hash}`;
}
/** What became of an event by rule is signed, from what was sealed, step by step, to what is there now. */
function addErased({ erased: sealed, id, proofs, event }) {
  [erased, events] = [erased + 1, events + 1, hashes.push(sealed)];
  const last = proofs.reduce((state, { text, signature }) => {
    const { tenant, event: own, before, after, keyId } = JSON.parse(text);
    need(tenant === seal.tenant && own === id && before === state, `event ${id} was not erased so.`);
    return need(isSigned(keyId, text, signature), `what became of event ${id} is not signed.`) && after;
  }, sealed);
  need(proofs[0] && last === (event ? sha256(event) : null), `event ${id} is not what it was erased to.`);
}
function read(line) {
  const members = JSON.parse(line);
  need(!end, 'there is more behind the end.');
  if (members.operation) [events] = [events + 1, hashes.push(sha256(line))];
  else if (members.erased) addErased(members);
  else if (members.seal) openSeal(members);
  else if (members.end) closeSeal((end = members.end));
  else if (members.bundle && !bundle) (bundle = members).keys.forEach(addKey);
  else need(false, members.missing ? `event ${members.id} is missing.` : `what is this? ${line}`);
}
for await (const piece of createReadStream(file, 'utf8')) {
  const lines = `${rest}${piece}`.split('\n');
  rest = lines.pop();
  lines.forEach(read);
}
need(!rest && end && end === hash && seal.number === bundle.toSeal, 'the end of the file is missing.');
need(isNoted, `the noted seal ${noted} is not here.`);
console.log(`Proved: ${events} events (${erased} erased by rule) in seals ${bundle.fromSeal}-${seal.number}`);
console.log(`of tenant ${seal.tenant}, signed by some of these keys: ${[...keys.keys()].join(', ')}.`);
console.log(`The newest seal is ${seal.number}:${hash}, of ${seal.sealedOn}.`);
