
"use strict";
(() => {
  const form = document.getElementById("filter");
  const rows = Array.from(document.querySelectorAll("#matrix tbody tr"));
  const names = ["driver", "show", "text"];

  const filter = () => {
    const [driver, show, text] = names.map((name) => form.elements[name].value.trim());
    const wanted = text.toLowerCase();
    let count = 0;
    for (const row of rows) {
      const fits = (driver === "" || row.dataset.driver === driver)
        && (show === "" || row.dataset.is.split(" ").includes(show))
        && row.textContent.toLowerCase().includes(wanted);
      row.hidden = !fits;
      count += fits ? 1 : 0;
    }
    form.elements.count.value = `${count} of ${rows.length}`;
  };

  // The filter is in the address's fragment, so that a view can be shared.
  const read = () => {
    const asked = new URLSearchParams(location.hash.slice(1));
    for (const name of names) form.elements[name].value = asked.get(name) ?? "";
    filter();
  };

  const write = () => {
    const asked = new URLSearchParams();
    for (const name of names) {
      const value = form.elements[name].value;
      if (value !== "") asked.set(name, value);
    }
    history.replaceState(null, "", `#${asked}`);
    filter();
  };

  form.addEventListener("input", write);
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", read);
  read();
})();
