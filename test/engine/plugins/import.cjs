// Node's own import(), which the test runner would exchange.
exports.importer = (url) => import(url);
