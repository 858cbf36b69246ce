// Run by Node beside the client of npm: everything that it can do with data. Prints what came of it as one line of JSON.
// Arguments: the folder of the package and the server's address. The key is in ALGORITHMIA_API_KEY.
const algorithmia = require(process.argv[2]);
const client = algorithmia.client(process.env.ALGORITHMIA_API_KEY, process.argv[3]);
const asked = (step) => new Promise((resolve) => step((...answer) => resolve(answer)));

async function main() {
  const found = {};
  const directory = client.dir("data://.my/node_story");
  const file = (name) => directory.file(name);
  found.missing = (await asked((done) => directory.exists(done)))[0];
  found.made = (await asked((done) => directory.create(done)))[0];
  found.twice = (await asked((done) => directory.create(done)))[0].error.message;
  found.put = (await asked((done) => file("bytes").put(Buffer.from([0, 255, 10]), done)))[0];
  found.bytes = [...(await asked((done) => file("bytes").get(done)))[1]];
  await asked((done) => file("text").putString("snow \u2603", done));
  found.text = (await asked((done) => file("text").getString(done)))[0];
  await asked((done) => file("value").putJson(JSON.stringify({ a: [1, null] }), done));
  found.value = (await asked((done) => file("value").getJson(done)))[0];
  found.nothing = (await asked((done) => file("nothing").get(done)))[0].message;
  found.exists = [
    (await asked((done) => file("text").exists(done)))[0],
    (await asked((done) => file("nothing").exists(done)))[0],
  ];
  found.files = [];
  await new Promise((resolve) => directory.forEachFile((error, one) => found.files.push(one.basename())).then(resolve));
  found.dirs = [];
  await new Promise((resolve) =>
    client.dir("data://.my").forEachDir((error, one) => found.dirs.push(one.basename())).then(resolve));
  found.refused = (await asked((done) => directory.delete(false, done)))[0].error;
  found.deleted = (await asked((done) => file("text").delete(done)))[0];
  found.forced = (await asked((done) => directory.delete(true, done)))[0];
  console.log(JSON.stringify(found));
}

main();
