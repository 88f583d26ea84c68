"use strict";
for (const box of document.querySelectorAll("details.rows")) {
  const field = box.querySelector("input"), body = box.querySelector("tbody"), said = box.querySelector("output");
  const rows = [...body.rows], heads = [...box.querySelectorAll("th")];
  const texts = rows.map((row) => row.textContent.toLocaleLowerCase());
  const count = () => { said.textContent = said.dataset.said.replace("#", rows.filter((row) => !row.hidden).length); };
  field.addEventListener("input", () => {
    const wanted = field.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    rows.forEach((row, i) => { row.hidden = !wanted.every((word) => texts[i].includes(word)); });
    count();
  });
  const key = (row, column) => {
    const cell = row.cells[column], value = cell.dataset.v;
    return value === undefined ? cell.textContent : value === "" ? null : Number(value);
  };
  heads.forEach((head, column) => head.firstElementChild.addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach((other) => other.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const order = rows.map((row, i) => [key(row, column), i, row]);
    order.sort(([a, i], [b, j]) => {
      if (a === null || b === null) return (a === null) - (b === null) || i - j;
      const first = typeof a === "number" && typeof b === "number" ? a - b
        : String(a).localeCompare(String(b), undefined, { numeric: true });
      return (down ? -first : first) || i - j;
    });
    body.append(...order.map(([, , row]) => row));
  }));
  count();
}
const unfold = () => {
  let at = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const wanted = at;
  for (; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  if (wanted) wanted.scrollIntoView();
};
addEventListener("hashchange", unfold);
unfold();
