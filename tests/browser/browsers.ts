import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import { type Browser, chromium, firefox } from 'playwright-core';

/**
 * `chromium` has no windows: a page costs it a third of what it costs `chromium-desktop`, which draws the bar and the menus
 * of a window around each page anew. `chromium-109` is the oldest browser the pages are made for; it comes as an npm package.
 */
export const BROWSER_NAMES = ['chromium', 'chromium-desktop', 'firefox', 'chromium-109'] as const;
export type BrowserName = (typeof BROWSER_NAMES)[number];

/** Names that lead here, so that a page can stand on an origin the server does not know. */
export const FOREIGN_HOST = 'elsewhere.example';

export interface BrowserSettings {
  /** Without it `BROWSER`, or else Chromium. */
  readonly browser?: BrowserName;
  /** Of Chromium only. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const UNPACKED = fileURLToPath(new URL('../../.setup/chromium-109/', import.meta.url));

function chosen(): BrowserName {
  const name = process.env['BROWSER'] ?? 'chromium';
  const found = BROWSER_NAMES.find((one) => one === name);
  if (found === undefined) throw new Error(`BROWSER is one of ${BROWSER_NAMES.join(', ')}, not ${name}`);
  return found;
}

/** Unpacks the package's archives once; whoever comes second, or is killed half-way, harms nobody. */
function oldChromium(): string {
  const program = join(UNPACKED, 'chromium');
  if (existsSync(program)) return program;
  const manifest = createRequire(import.meta.url).resolve('@sparticuz/chromium');
  const archives = join(dirname(manifest), '../bin');
  const unpack = (name: string): Buffer => brotliDecompressSync(readFileSync(join(archives, name)));
  mkdirSync(dirname(dirname(program)), { recursive: true });
  const folder = mkdtempSync(`${UNPACKED.replace(/\/$/, '')}-`);
  writeFileSync(join(folder, 'chromium'), unpack('chromium.br'), { mode: 0o755 });
  execFileSync('tar', ['-x', '-C', folder], { input: unpack('swiftshader.tar.br') });
  try {
    renameSync(folder, UNPACKED);
  } catch (error) {
    // Somebody else was quicker; theirs is the same.
    if (!existsSync(program)) throw error;
  }
  return program;
}

export function launchBrowser(settings: BrowserSettings): Promise<Browser> {
  const name = settings.browser ?? chosen();
  // Without a locale Chromium reads names of files as ASCII, and finds none that has another letter.
  const env = { env: { ...process.env, LC_ALL: 'C.UTF-8', ...settings.env } };
  if (name === 'firefox') {
    return firefox.launch({
      // Over WebDriver BiDi: Debian's Firefox as it is, no build of Playwright's own.
      channel: 'moz-firefox',
      executablePath: process.env['FIREFOX'] ?? '/usr/bin/firefox-esr',
      firefoxUserPrefs: {
        'network.dns.localDomains': FOREIGN_HOST,
        'ui.prefersReducedMotion': 1,
        'ui.systemUsesDarkTheme': 0,
      },
      ...env,
    });
  }
  const old = name === 'chromium-109';
  const debian = name === 'chromium-desktop' ? '/usr/bin/chromium' : '/usr/bin/chromium-headless-shell';
  return chromium.launch({
    executablePath: old ? oldChromium() : (process.env['CHROMIUM'] ?? debian),
    args: [
      '--no-sandbox',
      ...(old ? ['--headless', '--disable-gpu'] : []),
      ...(settings.args ?? [`--host-resolver-rules=MAP ${FOREIGN_HOST} 127.0.0.1`]),
    ],
    ...env,
  });
}
