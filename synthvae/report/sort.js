// Tables whose heads are marked can be sorted; without this the page says the same.
document.querySelectorAll("table.sort").forEach(function (table) {
  var body = table.tBodies[0];
  table.querySelectorAll("thead th").forEach(function (head, at) {
    head.tabIndex = 0;
    head.setAttribute("role", "button");
    function sort() {
      var down = head.getAttribute("aria-sort") !== "descending";
      table.querySelectorAll("th").forEach(function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      var key = function (row) {
        var cell = row.cells[at], given = cell.dataset.v;
        if (given === undefined) return cell.textContent.trim().toLowerCase();
        return given === "" ? -Infinity : Number(given);
      };
      Array.from(body.rows).sort(function (a, b) {
        var x = key(a), y = key(b);
        return (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1);
      }).forEach(function (row) { body.appendChild(row); });
    }
    head.addEventListener("click", sort);
    head.addEventListener("keydown", function (event) {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sort(); }
    });
  });
});
