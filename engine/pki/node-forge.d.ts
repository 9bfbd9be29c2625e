// Two parts of node-forge, loaded separately: all of it takes ten times as long to load.
declare module 'node-forge/lib/asn1.js' {
  import { asn1 } from 'node-forge';
  export default asn1;
}
declare module 'node-forge/lib/pem.js' {
  import { pem } from 'node-forge';
  export default pem;
}
