let context: AudioContext | null = null;

/** Two soft notes, made here so that no file is loaded. Browsers allow it after the first click on the page. */
export async function playChime(): Promise<void> {
  context ??= new AudioContext();
  if (context.state === 'suspended') {
    // Never answered before a click; then it is too late for this sound.
    await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, 200))]);
  }
  if (context.state !== 'running') return;
  for (const [index, frequency] of [660, 880].entries()) {
    const from = context.currentTime + index * 0.13;
    const oscillator = context.createOscillator();
    const gain = context.createGain();
    oscillator.frequency.value = frequency;
    gain.gain.setValueAtTime(0, from);
    gain.gain.linearRampToValueAtTime(0.12, from + 0.015);
    gain.gain.exponentialRampToValueAtTime(0.0001, from + 0.35);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(from);
    oscillator.stop(from + 0.4);
  }
}
