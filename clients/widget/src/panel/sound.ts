const KEY = 'chat-widget.muted';

export function readMuted(): boolean {
  try {
    return localStorage.getItem(KEY) === '1';
  } catch {
    // Storage is blocked: the choice lasts as long as the page.
    return false;
  }
}

export function storeMuted(muted: boolean): void {
  try {
    if (muted) localStorage.setItem(KEY, '1');
    else localStorage.removeItem(KEY);
  } catch {
    // As above.
  }
}

/** Two soft tones, made here: no file to load. */
async function ring(): Promise<void> {
  const audio = new AudioContext();
  try {
    // Not allowed before the visitor has touched the page; then there is no sound, and nothing to say about it.
    if (audio.state !== 'running') return;
    const tone = (frequency: number, at: number): void => {
      const oscillator = audio.createOscillator();
      const volume = audio.createGain();
      const start = audio.currentTime + at;
      oscillator.frequency.value = frequency;
      volume.gain.setValueAtTime(0, start);
      volume.gain.linearRampToValueAtTime(0.08, start + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.35);
      oscillator.connect(volume).connect(audio.destination);
      oscillator.start(start);
      oscillator.stop(start + 0.4);
    };
    tone(660, 0);
    tone(880, 0.12);
    await new Promise((resolve) => setTimeout(resolve, 700));
  } finally {
    await audio.close();
  }
}

/** In one tab only: the first to get the lock rings, and holds it until the others have tried too. */
export async function ringOnce(name: string): Promise<void> {
  if (!navigator.locks) return ring();
  await navigator.locks.request(`chat-widget-sound-${name}`, { ifAvailable: true }, async (lock) => {
    if (lock === null) return;
    await Promise.all([ring(), new Promise((resolve) => setTimeout(resolve, 1_000))]);
  });
}
