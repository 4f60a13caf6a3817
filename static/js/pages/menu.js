/** The menu at the top of a narrow page closes when somebody has done with it. Without this file its button closes it. */
const menu = document.querySelector(".site-menu");
if (menu) start(menu, menu.querySelector("summary"));

function start(menu, button) {
  const close = () => (menu.open = false);
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    close();
    button.focus();
  });
  menu.addEventListener("focusout", ({ relatedTarget }) => relatedTarget && !menu.contains(relatedTarget) && close());
  document.addEventListener("pointerdown", ({ target }) => menu.contains(target) || close());
  addEventListener("pageshow", (event) => event.persisted && close());
}
