/*
 * Find the number whose SHA-256, together with the salt, is the challenge (ALTCHA's proof of work). Hashing is our own
 * because crypto.subtle is missing on plain HTTP, and because waiting for a promise a hundred thousand times takes longer.
 */

const FIRST_PRIMES = [];
for (let n = 2; FIRST_PRIMES.length < 64; n++) {
  if (FIRST_PRIMES.every((prime) => n % prime)) FIRST_PRIMES.push(n);
}
const bits = (root) => ((root - Math.floor(root)) * 2 ** 32) | 0;
const START = FIRST_PRIMES.slice(0, 8).map((prime) => bits(Math.sqrt(prime)));
const ROUND = FIRST_PRIMES.map((prime) => bits(Math.cbrt(prime)));
const turn = (word, by) => (word >>> by) | (word << (32 - by));
const encoder = new TextEncoder();
const schedule = new Int32Array(64);

function sha256(text) {
  const bytes = encoder.encode(text);
  const padded = new DataView(new ArrayBuffer(((bytes.length + 72) >> 6) << 6));
  bytes.forEach((byte, at) => padded.setUint8(at, byte));
  padded.setUint8(bytes.length, 0x80);
  padded.setUint32(padded.byteLength - 4, bytes.length * 8);
  const state = Int32Array.from(START);
  for (let at = 0; at < padded.byteLength; at += 64) mix(state, padded, at);
  return Array.from(state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

function mix(state, block, at) {
  for (let i = 0; i < 16; i++) schedule[i] = block.getInt32(at + i * 4);
  for (let i = 16; i < 64; i++) {
    const early = schedule[i - 15];
    const late = schedule[i - 2];
    const s0 = turn(early, 7) ^ turn(early, 18) ^ (early >>> 3);
    const s1 = turn(late, 17) ^ turn(late, 19) ^ (late >>> 10);
    schedule[i] = (schedule[i - 16] + s0 + schedule[i - 7] + s1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i++) {
    const t1 = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + ROUND[i] + schedule[i]) | 0;
    const t2 = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => (state[i] = (state[i] + word) | 0));
}

self.onmessage = ({ data }) => {
  const { algorithm, challenge, salt, signature, maxnumber = data.maxNumber ?? 1e6 } = data;
  const began = performance.now();
  for (let number = 0; number <= maxnumber; number++) {
    if (sha256(salt + number) !== challenge) continue;
    const took = Math.round(performance.now() - began);
    return self.postMessage(btoa(JSON.stringify({ algorithm, challenge, number, salt, signature, took })));
  }
  return self.postMessage("");
};
