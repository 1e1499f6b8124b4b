import { fetchContract, sections } from './contract.js';
import { byId, copyButton, element, prose } from './dom.js';
import { fillNavigation, markWhatIsRead, prepareMenu, prepareSearch } from './navigation.js';
import { operationArticle } from './operation.js';
import { prepareLogIn } from './session.js';

/** @typedef {import('./contract.js').Contract} Contract */

/** @param {Contract} contract */
function show(contract) {
  const parts = sections(contract);
  byId('version').textContent = contract.info.version;
  byId('about').append(...prose(contract.info.description));
  byId('reference').replaceChildren(
    ...parts.map(({ tag, title, operations }) =>
      element(
        'section',
        {},
        element(
          'header',
          { id: `tag-${tag.name}`, class: 'tag' },
          element('h2', {}, title),
          ...prose(tag.description),
        ),
        ...operations.map((operation) => operationArticle(contract, operation)),
      ),
    ),
  );
  fillNavigation(contract, parts);
}

/** The commands of the introduction name this server, and can be copied. */
function prepareCommands() {
  for (const command of document.querySelectorAll('#introduction pre')) {
    const code = command.querySelector('code');
    if (!code) continue;
    const text = (code.textContent ?? '').replaceAll('http://127.0.0.1:8080', location.origin);
    code.replaceChildren(
      ...text.split(/(#.*)/).map((part) => (part.startsWith('#') ? element('i', {}, part) : part)),
    );
    command.before(copyButton(code));
  }
}

/** The place that the address names is made after the browser looked for it. */
function goToAddressed() {
  const id = decodeURIComponent(location.hash.slice(1));
  if (id) document.getElementById(id)?.scrollIntoView();
}

prepareCommands();
prepareMenu();
prepareLogIn();
try {
  show(await fetchContract());
  prepareSearch();
  goToAddressed();
  markWhatIsRead();
} catch (error) {
  byId('reference').replaceChildren(element('p', { class: 'problem' }, String(error)));
}
