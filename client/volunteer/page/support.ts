import { tellsBattery } from './conditions.ts';
import type { Support } from './page-state.ts';
import { ScreenLock } from './wake-lock.ts';

/** The smallest module with an instruction on 128-bit vectors: validates only where the kernels can run. */
const simdModule = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]);

export function detectSupport(): Support {
  return {
    cores: Math.max(1, navigator.hardwareConcurrency || 1),
    missing: missingHere(),
    secureContext: isSecureContext && 'subtle' in crypto && 'indexedDB' in globalThis,
    battery: tellsBattery(navigator),
    wakeLock: ScreenLock.isAvailable(navigator),
  };
}

function missingHere(): string | null {
  if (!('WebAssembly' in globalThis)) return 'It needs WebAssembly, which this browser lacks or has switched off.';
  if (!WebAssembly.validate(simdModule)) {
    return 'It needs WebAssembly with SIMD: Chrome 111, Firefox 115, Safari 16.4 or newer.';
  }
  if (!('Worker' in globalThis)) return 'It needs Web Workers, which this browser lacks or has switched off.';
  return null;
}

/** `Firefox 153 on Linux`: as much as helps whoever runs the grid, and no more. */
export function describeBrowser(userAgent: string): string {
  const browser =
    /(Firefox|Edg|OPR|Chrome)\/(\d+)/.exec(userAgent.replace(/Chrome(?=.*(?:Edg|OPR)\/)/, '')) ??
    /(Version)\/(\d+)(?=.*Safari)/.exec(userAgent);
  const names: Record<string, string> = { Edg: 'Edge', OPR: 'Opera', Version: 'Safari' };
  const system = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac OS', 'CrOS', 'Linux'].find((name) =>
    userAgent.includes(name),
  );
  const name = browser === null ? 'a browser' : `${names[browser[1] ?? ''] ?? browser[1] ?? ''} ${browser[2] ?? ''}`;
  return system === undefined ? name : `${name} on ${system === 'Mac OS' ? 'macOS' : system}`;
}
