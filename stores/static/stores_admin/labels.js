/* On a phone a row of a long record is shown as lines of text, and each value is told apart by the name of its column. */

for (const table of document.querySelectorAll("#result_list, .inline-group .tabular table")) {
  for (const head of table.querySelectorAll("thead [class*=column-]")) {
    const column = [...head.classList].find((name) => name.startsWith("column-")).replace("column-", "field-");
    for (const cell of table.querySelectorAll(`tbody .${column}`)) {
      if (cell.innerText.trim() || cell.querySelector("input, img")) cell.dataset.label = head.innerText.trim();
    }
  }
  table.classList.add("labelled");
}
