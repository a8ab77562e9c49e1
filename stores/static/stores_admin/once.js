/* A second click while the answer is under way would send the form twice: two option groups, or "this name is taken" about
   what was just saved. For a few seconds only, should there be no answer. And who was signed out meanwhile would be led to
   the sign-in page, away from all that was typed: so it is asked first, and they may sign in beside it. */

const { signedOut } = document.currentScript.dataset;
const HERE = "#content-main form[id]"; // where people type

addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented || form.dataset.sent === "now") return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, 5000);
  if (!form.matches(HERE)) return;
  event.preventDefault();
  if (await isSignedOut()) {
    delete form.dataset.sent;
    return sayIt();
  }
  const token = form.elements.csrfmiddlewaretoken;
  token.value = document.cookie.match(/(?:^|; )csrftoken=(\w+)/)?.[1] ?? token.value; // who has signed in anew has a new one
  form.dataset.sent = "now";
  form.requestSubmit(event.submitter);
  form.dataset.sent = "yes";
});

async function isSignedOut() {
  const asked = { method: "HEAD", cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(3000) };
  const answer = await fetch("/admin/jsi18n/", asked).catch(() => null); // without an answer: the form itself will find out
  return answer?.type === "opaqueredirect";
}

function sayIt() {
  document.getElementById("signed-out")?.remove();
  const said = document.createElement("ul");
  said.id = "signed-out";
  said.className = "messagelist";
  said.innerHTML = '<li class="warning" role="alert"><a href="/admin/login/?next=/admin/" target="_blank"></a></li>';
  said.querySelector("a").textContent = signedOut;
  document.getElementById("content").before(said);
  said.scrollIntoView({ block: "center" });
}
