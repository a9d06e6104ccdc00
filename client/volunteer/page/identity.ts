import { toBase64Url } from '#protocol';

/** This browser’s own key: the private half can be used, but never be read, not even by this page. */
export interface Identity {
  publicKey: JsonWebKey;
  /** Signs UTF-8 text; 64 bytes r ‖ s in base64url. */
  sign(text: string): Promise<string>;
}

const storeName = 'keys';
const keyName = 'volunteer';
const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;

/** The key from IndexedDB, or a new one that is kept there. */
export async function loadIdentity(): Promise<Identity> {
  const database = await openDatabase();
  try {
    const pair = (await readPair(database)) ?? (await makePair(database));
    const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey);
    return {
      publicKey: { kty, crv, x, y } as JsonWebKey,
      sign: async (text) => {
        const message = new TextEncoder().encode(text);
        const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, message);
        return toBase64Url(new Uint8Array(signature));
      },
    };
  } finally {
    database.close();
  }
}

async function makePair(database: IDBDatabase): Promise<CryptoKeyPair> {
  const pair = await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify']);
  const transaction = database.transaction(storeName, 'readwrite');
  await answerOf(transaction.objectStore(storeName).put(pair, keyName));
  return pair;
}

async function readPair(database: IDBDatabase): Promise<CryptoKeyPair | undefined> {
  const request = database.transaction(storeName).objectStore(storeName).get(keyName);
  return (await answerOf(request)) as CryptoKeyPair | undefined;
}

function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open('tabgrid', 1);
  request.onupgradeneeded = () => request.result.createObjectStore(storeName);
  return answerOf(request);
}

function answerOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB refused the request.'));
  });
}
