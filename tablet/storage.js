// What the tablet remembers. A tablet loses power without a word, so everything that matters is written at once.

const PREFIX = "tableorder.";

export function read(name) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name));
  } catch {
    return null; // half-written or foreign: as if it had never been there
  }
}

export function write(name, value) {
  if (value === null || value === undefined) localStorage.removeItem(PREFIX + name);
  else localStorage.setItem(PREFIX + name, JSON.stringify(value));
}

// A key no one else makes. randomUUID is there in secure contexts only, and a restaurant's Wi-Fi may serve plain http.
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
