// undici's connection pool by itself: its fetch, caches and mocks take as long to load as all the rest of Joinery.
declare module 'undici/lib/dispatcher/pool.js' {
  import { Pool } from 'undici';
  export default Pool;
}
