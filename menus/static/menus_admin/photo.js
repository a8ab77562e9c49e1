/* A phone's photo may be larger than what is taken in, and a refused one takes along all that was typed beside it. So it is
   made here as small as the largest size that is kept. What the browser can't read goes as it is: the server says why not. */

const field = document.querySelector("[data-most-bytes]");

field?.addEventListener("change", async () => {
  const [photo] = field.files;
  if (!photo || photo.size <= field.dataset.mostBytes) return;
  const buttons = field.form.querySelectorAll("[type=submit]");
  for (const button of buttons) button.disabled = true; // sent meanwhile, it would be the large one
  try {
    const smaller = await shrink(photo, field.dataset.longestSide);
    if (field.files[0] === photo) field.files = smaller; // and no other was chosen
  } catch {
    // no picture to this browser
  } finally {
    for (const button of buttons) button.disabled = false;
  }
});

async function shrink(photo, longestSide) {
  const whole = await createImageBitmap(photo); // upright
  const scale = Math.min(1, longestSide / Math.max(whole.width, whole.height));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.round(whole.width * scale), Math.round(whole.height * scale)];
  canvas.getContext("2d").drawImage(whole, 0, 0, canvas.width, canvas.height);
  const type = photo.type === "image/jpeg" ? photo.type : "image/webp"; // which keeps what is transparent
  const blob = await new Promise((done) => canvas.toBlob(done, type, 0.95));
  const files = new DataTransfer();
  files.items.add(new File([blob], photo.name, { type: blob.type }));
  return files.files;
}
