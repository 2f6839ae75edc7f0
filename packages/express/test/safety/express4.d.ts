/** Version 4, installed under another name. What is used of it has the types of version 5. */
declare module 'express4' {
  import express from 'express'
  // oxlint-disable-next-line import/no-default-export -- it is the package that does
  export default express
}
