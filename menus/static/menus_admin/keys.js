/* What adminsortable2.js drags, the arrow keys move: one place up or down. */

const STEPS = { ArrowUp: -1, ArrowDown: 1 };
const HANDLE = "#result_list .handle, fieldset.sortable tr.has_original td.original p";
let told = Promise.resolve();

for (const handle of document.querySelectorAll(HANDLE)) handle.tabIndex = 0;

addEventListener("keydown", (event) => {
  const step = STEPS[event.key];
  if (!step || !event.target.matches(HANDLE)) return;
  event.preventDefault();
  const row = event.target.closest("tr");
  const rows = [...row.parentElement.children].filter((each) => each.querySelector(HANDLE));
  const other = rows[rows.indexOf(row) + step];
  if (!other) return;
  other[step < 0 ? "before" : "after"](row);
  event.target.focus(); // a row that is moved loses it
  if (row.closest("#result_list")) tell(step < 0 ? [row, other] : [other, row]);
  else number(row.parentElement);
});

/* One after the other: each is about the order that the one before has left. */
function tell(rows) {
  const { update_url } = JSON.parse(document.getElementById("admin_sortable2_config").textContent);
  const moved = rows.map((row, place) => [row.querySelector(HANDLE).getAttribute("pk"), place]);
  const headers = { "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]").value };
  told = told.then(async () => {
    const answer = await fetch(update_url, { method: "POST", headers, body: JSON.stringify({ updatedItems: moved }) }).catch(() => null);
    if (!answer?.ok) location.reload(); // what stands there is not what guests see
  });
}

function number(body) {
  body.querySelectorAll("tr.has_original input._reorder_").forEach((input, place) => (input.value = place + 1));
}
