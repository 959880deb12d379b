// Looks at every page with axe-core (WCAG 2.2 AA and good practice) and the HTML validator, on a screen 320 pixels wide.
import { readFileSync } from 'node:fs';
import { HtmlValidate } from 'html-validate';
import { chromium } from 'playwright-core';

const [base, executablePath] = process.argv.slice(2);
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const axe = readFileSync('node_modules/axe-core/axe.min.js', 'utf8');
const validator = new HtmlValidate({ extends: ['html-validate:standard'] });

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const context = await browser.newContext({ bypassCSP: true, viewport: { width: 320, height: 800 } });
const asked = new Set();
const waiting = ['/?on=2013-12-31&lang=es', '/?on=2013-12-31&lang=en', '/commitments/NOBODY'];
let faults = 0;

while (waiting.length && asked.size < 150) {
  const path = waiting.shift();
  if (asked.has(path)) continue;
  asked.add(path);
  const page = await context.newPage();
  const response = await page.goto(base + path, { waitUntil: 'load' });
  await page.addScriptTag({ content: axe });
  const found = (await page.evaluate((only) => window.axe.run({ runOnly: only }), rules)).violations.map(
    (one) => `${one.id}: ${one.nodes[0].html}`,
  );
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  if (width > 320) found.push(`it is ${width} pixels wide`);
  for (const result of (await validator.validateString(await response.text())).results) {
    found.push(...result.messages.map((one) => `${one.ruleId}: ${one.message}`));
  }
  for (const fault of found) console.log(`${path}: ${fault}`);
  faults += found.length;
  const links = await page.$$eval('a[href]', (all) => all.map((one) => one.getAttribute('href')));
  waiting.push(...links.filter((one) => one.startsWith('/') && !one.startsWith('/v1') && !/#|\.(atom|ics)/.test(one)));
  await page.close();
}
await browser.close();
console.log(`${asked.size} pages, ${faults} faults`);
process.exit(faults ? 1 : 0);
