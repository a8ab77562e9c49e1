/* A phone's photo may be larger than what is taken in, in bytes or in pixels, and one of too many bytes takes along all that
   was typed beside it. So it is made here as small as the largest size that is kept. What the browser can't read goes as it
   is, for the server says why not; unless it is too large to be heard. */

const field = document.querySelector("[data-most-bytes]");
const complaint = document.createElement("ul"); // as Django's look
complaint.className = "errorlist";
complaint.append(document.createElement("li"));
complaint.role = "alert";

field?.addEventListener("change", async () => {
  complaint.remove();
  const [photo] = field.files;
  if (!photo) return;
  const buttons = field.form.querySelectorAll("[type=submit]");
  for (const button of buttons) button.disabled = true; // sent meanwhile, it would be the large one
  try {
    const fitting = await fit(photo, field.dataset);
    if (field.files[0] === photo && fitting !== photo) field.files = only(fitting); // and no other was chosen
  } catch {
    // no picture to this browser
  } finally {
    for (const button of buttons) button.disabled = false;
  }
  if (field.files[0]?.size > field.dataset.mostBytes) complain();
});

async function fit(photo, { mostBytes, mostPixels, longestSide }) {
  const whole = await createImageBitmap(photo); // upright
  if (photo.size <= mostBytes && whole.width * whole.height <= mostPixels) return photo;
  const scale = Math.min(1, longestSide / Math.max(whole.width, whole.height));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.round(whole.width * scale), Math.round(whole.height * scale)];
  canvas.getContext("2d").drawImage(whole, 0, 0, canvas.width, canvas.height);
  const type = photo.type === "image/jpeg" ? photo.type : "image/webp"; // which keeps what is transparent
  const blob = await new Promise((done) => canvas.toBlob(done, type, 0.95));
  return new File([blob], photo.name, { type: blob.type });
}

function only(file) {
  const files = new DataTransfer();
  files.items.add(file);
  return files.files;
}

function complain() {
  field.value = "";
  complaint.firstChild.textContent = field.dataset.tooLarge;
  field.closest(".form-row").prepend(complaint);
}
