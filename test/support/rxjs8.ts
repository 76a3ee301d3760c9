import { registerHooks } from 'node:module';

/** Gives a program RxJS 8 in place of the release that is installed with the product. */
registerHooks({ resolve: (name, context, next) => next(name.replace(/^rxjs(?=$|\/)/, 'rxjs8'), context) });
