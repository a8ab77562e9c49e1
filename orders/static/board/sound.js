// Two notes for a new order, again every few seconds until somebody has touched it.

const EVERY = 3000; // milliseconds
let context = null;
let lastAt = 0;

// Some browsers let a page sound by itself, if people have used its sound often before.
export const isAllowed = () => navigator.getAutoplayPolicy?.("audiocontext") === "allowed";

// Called from a tap: by itself a page must not sound. Does it sound now?
export async function switchOn({ aloud = false } = {}) {
  context ??= new AudioContext();
  await context.resume();
  if (context.state === "running" && aloud) beep();
  return context.state === "running";
}

export function switchOff() {
  context?.suspend();
}

export function alarm() {
  if (Date.now() - lastAt >= EVERY) beep();
}

function beep() {
  lastAt = Date.now();
  document.documentElement.dataset.beeps = Number(document.documentElement.dataset.beeps ?? 0) + 1;
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
