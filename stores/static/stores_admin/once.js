/* A second click while the answer is under way would send the form twice: two option groups, or "this name is taken" about
   what was just saved. For a few seconds only, should there be no answer. */

addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, 5000);
});
