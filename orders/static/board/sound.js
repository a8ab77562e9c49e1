// Two notes for a new order or call, again every few seconds until somebody has touched it.

const EVERY = 3000; // milliseconds
const NOTES = { order: [880, 1174.7], call: [1318.5, 987.8] }; // up for an order, down like a doorbell for a call
const APART = 0.18; // seconds
const [GAIN, LOUD_GAIN] = [0.4, 0.9];
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

export function alarm(kind, { loud = false } = {}) {
  if (Date.now() - lastAt >= EVERY) beep(kind, loud ? LOUD_GAIN : GAIN);
}

function beep(kind = "order", gain = GAIN) {
  lastAt = Date.now();
  document.documentElement.dataset.beeps = Number(document.documentElement.dataset.beeps ?? 0) + 1;
  for (const [which, note] of NOTES[kind].entries()) {
    const [tone, volume] = [context.createOscillator(), context.createGain()];
    const at = context.currentTime + which * APART;
    tone.frequency.value = note;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(gain, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.3);
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + 0.35);
  }
}
