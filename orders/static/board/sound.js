// Two notes for a new order, again every few seconds until somebody has touched it.

const EVERY = 3000; // milliseconds
let context = null;
let lastAt = 0;

// Must be called from a tap: browsers let no page sound by itself.
export async function switchOn() {
  context ??= new AudioContext();
  await context.resume();
  lastAt = 0;
  beep();
}

export function switchOff() {
  context?.suspend();
}

export function beep() {
  if (!context || Date.now() - lastAt < EVERY) return;
  lastAt = Date.now();
  for (const [note, after] of [[880, 0], [1174.7, 0.18]]) {
    const [tone, volume] = [context.createOscillator(), context.createGain()];
    const at = context.currentTime + after;
    tone.frequency.value = note;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(0.4, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.3);
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + 0.35);
  }
}
