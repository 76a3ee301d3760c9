import { httpRequirementsPage } from './page.ts';

process.stdout.write(httpRequirementsPage());
