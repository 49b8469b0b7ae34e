// Makes a clone ready to run, and does nothing when it is: `npm start`, `npm test`, `npm run stack` call it first.
// Runs on the system's own Node (20 or later) before any package is installed, so it uses none.
import { build } from './lib/build.mjs';
import { installPackages } from './lib/packages.mjs';
import { installServers } from './lib/servers.mjs';

try {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) throw new Error(`Node 20 or later is needed to install the project, this is ${process.version}`);
  if (process.argv.includes('--with-servers')) await installServers();
  await installPackages();
  await build();
} catch (error) {
  if (error.output) console.error(error.output.trim().split('\n').slice(-60).join('\n'));
  console.error(`\nsetup: ${error.message}`);
  process.exitCode = 1;
}
