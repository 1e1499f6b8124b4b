import type { Page } from 'playwright-core';

/** Presses keys, one after the other. */
export async function press(page: Page, ...keys: readonly string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

/** Presses a key until the focused element, or the row around it, shows a text. */
export async function pressUntil(page: Page, key: string, says: RegExp): Promise<void> {
  for (let pressed = 0; pressed < 80; pressed += 1) {
    await page.keyboard.press(key);
    const text = await page.evaluate<string>(
      `(document.activeElement.closest('[data-row]') ?? document.activeElement).textContent`,
    );
    if (says.test(text)) return;
  }
  throw new Error(`${key} leads to nothing that says ${says}.`);
}

/** A row is gone to by keys once it is there. */
export async function toRow(page: Page, says: RegExp): Promise<void> {
  await page.locator('[data-row]', { hasText: says }).first().waitFor();
  await pressUntil(page, 'j', says);
}

/** Goes down to a choice of the palette once it is there, and takes it. */
export async function pressUntilChosen(page: Page, name: RegExp): Promise<void> {
  await page.getByRole('menuitem').filter({ hasText: name }).first().waitFor();
  for (let pressed = 0; pressed < 40; pressed += 1) {
    const chosen = page.locator('[role=menuitem][data-focused]');
    if ((await chosen.count()) > 0 && name.test((await chosen.first().textContent()) ?? '')) {
      await page.keyboard.press('Enter');
      return;
    }
    await page.keyboard.press('ArrowDown');
  }
  throw new Error(`No choice is called ${name}.`);
}
