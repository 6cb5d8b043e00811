// What a page lacks for people who cannot see it, point at it, or read small print: a list of sentences.
() => {
  const problems = [];
  const say = (what, node) => problems.push(what + ': ' + node.outerHTML.slice(0, 120));
  const visible = (node) => node.checkVisibility();
  if (document.querySelectorAll('h1').length !== 1) problems.push('not one h1');
  if (!document.documentElement.lang) problems.push('no lang');
  if (!document.title.trim()) problems.push('no title');
  for (const node of document.querySelectorAll('input:not([type=hidden]), select, textarea'))
    if (!(node.labels.length && node.labels[0].textContent.trim()) && !node.getAttribute('aria-label')) say('no label', node);
  for (const node of document.querySelectorAll('img')) {
    if (!node.hasAttribute('alt')) say('no alt', node);
    if (node.closest('.card, .gallery') && !(node.getAttribute('width') && node.getAttribute('height'))) say('no size', node);
  }
  for (const node of document.querySelectorAll('a, button, summary'))
    if (!node.closest('[aria-hidden]') && !(node.textContent.trim() || node.getAttribute('aria-label'))) say('no name', node);
  for (const node of document.querySelectorAll('[aria-labelledby]'))
    if (!document.getElementById(node.getAttribute('aria-labelledby'))) say('label is missing', node);
  const ids = [...document.querySelectorAll('[id]')].map((node) => node.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) problems.push('id twice: ' + id);
  let level = 0;
  for (const node of document.querySelectorAll('main h1, main h2, main h3')) {
    const own = Number(node.tagName[1]);
    if (own > level + 1) say('heading level skipped', node);
    level = own;
  }
  if (innerWidth < 500)
    for (const node of document.querySelectorAll('main input:not([type=checkbox]), main select, main button, .chip, .pages a, .tiles a, .tick, .search button'))
      if (visible(node) && !node.closest('[aria-hidden]') && node.getBoundingClientRect().height < 43.5) say('small target', node);
  if (document.documentElement.scrollWidth > innerWidth) problems.push('wider than the screen');
  return problems;
}
