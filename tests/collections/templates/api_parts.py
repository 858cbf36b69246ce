"""Every object of the OpenAPI specification but schemas: paths, parameters, bodies, responses, security, servers and the rest."""

from __future__ import annotations

from typing import Any

from tests.collections.templates.api import (
    CREATE,
    GONE,
    JSON,
    LIST,
    SCHEMES,
    SHOW,
    V30,
    V31,
    Claim,
    Edits,
    Path,
    ref,
)

YES, NO, WARN, NOTE = "compatible", "breaking", "compatible:warning", "compatible:note"
STRING: dict[str, Any] = {"type": "string"}
INTEGER: dict[str, Any] = {"type": "integer"}
STRINGS: dict[str, Any] = {"type": "array", "items": STRING}
PATHS: Path = ("paths",)
DONE = {"responses": {"204": {"description": "Done."}}}
P0: Path = (*LIST, "parameters", 0)
P1: Path = (*LIST, "parameters", 1)


def parameter(name: str, place: str = "query", /, **more: Any) -> dict[str, Any]:
    """A parameter; a string unless said otherwise."""
    return {"name": name, "in": place, **({} if "content" in more else {"schema": STRING}), **more}


def thing(required: list[str] | None = None, /, **properties: Any) -> dict[str, Any]:
    """An open object."""
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def second(old: dict[str, Any], new: dict[str, Any]) -> tuple[Edits, Edits]:
    """The same parameter of the list before and after."""
    return {P1: old}, {P1: new}


def body(content: Any, **more: Any) -> Edits:
    """The request's body with this content."""
    return {(*CREATE, "requestBody"): {"required": True, "content": content, **more}}


def answer(**responses: Any) -> Edits:
    """The answers of showing a pet, by status; `s200` is 200."""
    return {(*SHOW, "responses"): {status.removeprefix("s"): made for status, made in responses.items()}}


def said(text: str = "Said.", schema: Any = None, **more: Any) -> dict[str, Any]:
    """A response, with a JSON body where there is a schema."""
    return {"description": text, **({"content": {JSON: {"schema": schema}}} if schema else {}), **more}


PET, ERROR = ref("Pet"), ref("Error")
ITEM = {"get": {"responses": {"200": {"description": "A."}}}}

# fmt: off
# One claim a line: this is a table.
INFO = [
    Claim("info", {}, {("info", "version"): "1.1.0"}, YES, YES, "the description's number is not on the wire"),
    Claim("info", {}, {("info", "title"): "All pets", ("info", "description"): "Of the shop."}, YES, YES, "words only"),
    Claim("info", {}, {("info", "contact"): {"email": "pets@pets.invalid"}, ("info", "license"): {"name": "MIT"}, ("info", "termsOfService"): "https://pets.invalid/terms"}, YES, YES, "words only"),
    Claim("info", {}, {("info", "summary"): "Pets."}, YES, "", "words only", (V31,)),
    Claim("info", {}, {("info", "license"): {"name": "MIT", "identifier": "MIT"}}, YES, "", "words only", (V31,)),
    Claim("openapi", {}, {("openapi",): "3.0.4"}, YES, YES, "a patch of the specification changes no meaning", (V30,)),
    Claim("openapi", {}, {("openapi",): "3.1.1"}, YES, YES, "a patch of the specification changes no meaning", (V31,)),
    Claim("openapi", {}, {("openapi",): "3.1.0"}, YES, "", "nothing in it has another meaning in 3.1", (V30,)),
    Claim("openapi", {P1: parameter("q", schema={"type": "string", "nullable": True})}, {("openapi",): "3.1.0", P1: parameter("q", schema={"type": ["string", "null"]})}, YES, "", "null beside, in the words of either version", (V30,)),
    Claim("openapi", {P1: parameter("q", schema={"type": "number", "minimum": 0, "exclusiveMinimum": True})}, {("openapi",): "3.1.0", P1: parameter("q", schema={"type": "number", "exclusiveMinimum": 0})}, YES, "", "one bound in the words of either version", (V30,)),
    Claim("openapi", body({JSON: {"schema": thing(a={"type": "string", "nullable": True})}}), {**body({JSON: {"schema": thing(a={"type": "string", "nullable": True})}}), ("openapi",): "3.1.0"}, NO, "", "3.1 does not know nullable, so null is refused", (V30,)),
    Claim("jsonSchemaDialect", {}, {("jsonSchemaDialect",): "https://spec.openapis.org/oas/3.1/dialect/base"}, YES, YES, "the default said", (V31,)),
    Claim("externalDocs", {}, {("externalDocs",): {"url": "https://pets.invalid/docs"}}, YES, YES, "words only"),
    Claim("tags", {}, {("tags",): [{"name": "pets", "description": "All."}], (*LIST, "tags"): ["pets"]}, YES, YES, "words only"),
    Claim("tags", {(*LIST, "tags"): ["a", "b"]}, {(*LIST, "tags"): ["c"]}, YES, YES, "words only"),
    Claim("extensions", {}, {("x-owner",): "us", (*LIST, "x-rate"): 5}, YES, YES, "unknown extensions hold nothing"),
]
PATH_ITEMS = [
    Claim("paths", {}, {(*PATHS, "/shops"): ITEM}, YES, NO, "a new endpoint (PDB-15); an endpoint removed"),
    Claim("paths", {}, {(*PATHS, "/animals"): {"get": DONE}, (*PATHS, "/pets"): GONE}, NO, NO, "an endpoint renamed"),
    Claim("paths", {(*PATHS, "/shops"): ITEM}, {(*PATHS, "/Shops"): ITEM}, NO, NO, "paths are case-sensitive"),
    Claim("paths", {(*PATHS, "/shops"): ITEM}, {(*PATHS, "/shops/"): ITEM}, NO, NO, "a slash at the end is another path"),
    Claim("paths", {(*PATHS, "/shops/{id}"): {**ITEM, "parameters": [parameter("id", "path", required=True)]}}, {(*PATHS, "/shops/{shop}"): {**ITEM, "parameters": [parameter("shop", "path", required=True)]}}, YES, YES, "the name in a template is not on the wire"),
    Claim("paths", {(*PATHS, "/shops/{id}"): {**ITEM, "parameters": [parameter("id", "path", required=True)]}}, {(*PATHS, "/shops/{id}/all"): {**ITEM, "parameters": [parameter("id", "path", required=True)]}}, NO, NO, "another path"),
    Claim("paths", {(*PATHS, "/a/{x}/{y}"): {**ITEM, "parameters": [parameter("x", "path", required=True, schema=INTEGER), parameter("y", "path", required=True)]}}, {(*PATHS, "/a/{y}/{x}"): {**ITEM, "parameters": [parameter("x", "path", required=True, schema=INTEGER), parameter("y", "path", required=True)]}}, NO, NO, "the first segment was an integer and the second any string; exchanged"),
    Claim("paths", {}, {PATHS: {"/pets/{id}": {"get": {"operationId": "showPet", "parameters": [parameter("id", "path", required=True)], "responses": {"200": said("A pet.", PET), "404": said("No such pet.", ERROR)}}}, "/pets": {"post": {"operationId": "createPet", "requestBody": {"required": True, "content": {JSON: {"schema": ref("NewPet")}}}, "responses": {"201": said("Made.")}}, "get": {"operationId": "listPets", "parameters": [parameter("limit", schema={"type": "integer", "minimum": 1, "maximum": 100})], "responses": {"200": said("Pets.", {"type": "array", "items": PET})}}}}}, YES, YES, "order has no meaning"),
    Claim("path item", {}, {(*PATHS, "/pets", "summary"): "Pets.", (*PATHS, "/pets", "description"): "All of them."}, YES, YES, "words only"),
    *[Claim("path item", {}, {(*PATHS, "/pets", method): DONE}, YES, NO, f"{method} added; {method} removed") for method in ("put", "delete", "options", "head", "patch", "trace")],
    Claim("path item", {(*PATHS, "/shops"): {"put": DONE}}, {(*PATHS, "/shops"): {"patch": DONE}}, NO, NO, "another method"),
    Claim("path item", {(*PATHS, "/pets/{id}", "delete"): {**DONE, "parameters": [parameter("id", "path", required=True)]}}, {(*PATHS, "/pets/{id}", "parameters"): [parameter("id", "path", required=True)], (*SHOW, "parameters"): GONE, (*PATHS, "/pets/{id}", "delete"): DONE}, YES, YES, "parameters of the path are those of each operation"),
    Claim("path item", {}, {(*PATHS, "/pets", "parameters"): [parameter("trace", "header", required=True)]}, NO, NO, "a required parameter for every operation; one no longer accepted"),
    Claim("path item", {(*PATHS, "/pets", "parameters"): [parameter("trace", "header")]}, {(*PATHS, "/pets", "parameters"): [parameter("trace", "header")], (*LIST, "parameters", 1): parameter("trace", "header", required=True)}, NO, YES, "the operation overrides the path"),
    Claim("path item", {}, {(*PATHS, "/pets", "servers"): [{"url": "https://pets.invalid/v1"}]}, YES, YES, "the same server said again"),
    Claim("path item", {}, {(*PATHS, "/pets", "servers"): [{"url": "https://other.invalid/v1"}]}, NO, NO, "the path is served elsewhere"),
]
OPERATIONS = [
    Claim("operation", {}, {(*LIST, "summary"): "List.", (*LIST, "description"): "All pets.", (*LIST, "externalDocs"): {"url": "https://pets.invalid/list"}}, YES, YES, "words only"),
    Claim("operation", {}, {(*LIST, "operationId"): "findPets"}, NOTE, NOTE, "the id is not on the wire; generated clients get another name"),
    Claim("operation", {}, {(*LIST, "operationId"): GONE}, NOTE, NOTE, "the id is not on the wire"),
    Claim("operation", {}, {(*LIST, "deprecated"): True}, NOTE, YES, "a deprecated operation still answers"),
    Claim("operation", {}, {(*LIST, "deprecated"): True, (*LIST, "x-sunset"): "2030-01-01"}, NOTE, YES, "announced, and still there"),
    Claim("operation", {(*LIST, "deprecated"): True, (*LIST, "x-sunset"): "2030-01-01"}, {(*LIST, "deprecated"): True, (*LIST, "x-sunset"): "2029-01-01"}, WARN, YES, "announced for another day, and still there"),
    Claim("operation", {(*PATHS, "/shops"): {"get": {**ITEM["get"], "deprecated": True}}}, {}, NO, "", "deprecated and gone is gone"),
    Claim("operation", {(*PATHS, "/shops"): {"get": {**ITEM["get"], "deprecated": True, "x-sunset": "2020-01-01"}}}, {}, NO, "", "its day has passed, and it is gone: a current API may not lose it (PDB-21)"),
    Claim("operation", {}, {(*LIST, "responses", "200", "description"): "The pets."}, YES, YES, "words only"),
]
PARAMETERS = [
    *[Claim(f"parameter in {place}", {}, {P1: parameter("X-More", place)}, YES, NO, "a new optional one (PDB-18); one no longer accepted (PDB-21)") for place in ("query", "header", "cookie")],
    *[Claim(f"parameter in {place}", {}, {P1: parameter("X-More", place, required=True)}, NO, NO, "a new required one (PDB-18); one no longer accepted (PDB-21)") for place in ("query", "header", "cookie")],
    *[Claim(f"parameter in {place}", *second(parameter("X-More", place), parameter("X-More", place, required=True)), NO, YES, "demanded; no longer demanded") for place in ("query", "header", "cookie")],
    *[Claim(f"parameter in {place}", *second(parameter("x", place), parameter("x", other)), NO, NO, "at another place") for place, other in (("query", "header"), ("header", "cookie"), ("query", "cookie"))],
    Claim("parameter in query", *second(parameter("sort"), parameter("order")), NO, NO, "renamed"),
    Claim("parameter in query", *second(parameter("sort"), parameter("Sort")), NO, NO, "names of query parameters are case-sensitive"),
    Claim("parameter in header", *second(parameter("X-Trace", "header"), parameter("x-trace", "header")), YES, YES, "names of headers are not case-sensitive"),
    *[Claim("parameter in header", {}, {P1: parameter(name, "header", required=True)}, YES, YES, "a header parameter of this name is ignored") for name in ("Accept", "Content-Type", "Authorization")],
    Claim("parameter in path", {(*SHOW, "parameters", 0): parameter("id", "path", required=True)}, {(*SHOW, "parameters", 0): parameter("id", "path", required=True, schema=INTEGER)}, NO, YES, "any string, or integers only"),
    Claim("parameter in path", {}, {(*SHOW, "parameters", 0): parameter("id", "path", required=True, style="matrix")}, NO, NO, "written in another way"),
    Claim("parameter in path", {}, {(*SHOW, "parameters", 0): parameter("id", "path", required=True, style="simple", explode=False)}, YES, YES, "the defaults said"),
    Claim("parameter in path", {(*SHOW, "parameters", 0): parameter("id", "path", required=True, schema=STRINGS)}, {(*SHOW, "parameters", 0): parameter("id", "path", required=True, schema=STRINGS, style="label")}, NO, NO, "written in another way"),
    Claim("parameter", *second(parameter("q"), parameter("q", description="What to look for.", example="cat")), YES, YES, "words only"),
    Claim("parameter", *second(parameter("q"), parameter("q", examples={"one": {"value": "cat"}})), YES, YES, "words only"),
    Claim("parameter", *second(parameter("q"), parameter("q", deprecated=True)), NOTE, YES, "a deprecated one is still accepted"),
    Claim("parameter", *second(parameter("q", deprecated=True), parameter("r")), NO, "", "deprecated and gone is gone"),
    Claim("parameter", *second(parameter("q"), parameter("q", required=False)), YES, YES, "the default said"),
    Claim("parameter", {P1: parameter("a"), (*LIST, "parameters", 2): parameter("b", schema=INTEGER)}, {P1: parameter("b", schema=INTEGER), (*LIST, "parameters", 2): parameter("a")}, YES, YES, "order has no meaning"),
    Claim("parameter", {P1: parameter("q")}, {P1: ref("q", "parameters"), ("components", "parameters"): {"q": parameter("q")}}, YES, YES, "a reference stands for what it refers to"),
    Claim("parameter", {P1: ref("q", "parameters"), ("components", "parameters"): {"q": parameter("q")}}, {P1: ref("q", "parameters"), ("components", "parameters"): {"q": parameter("q", required=True)}}, NO, YES, "what is referred to is demanded"),
    Claim("parameter", *second(parameter("q", schema=INTEGER), parameter("q", schema=INTEGER, allowEmptyValue=True)), YES, NO, "empty is accepted as well; no longer"),
    Claim("parameter", *second(parameter("q", schema={"type": "integer", "default": 10}), parameter("q", schema={"type": "integer", "default": 20})), WARN, WARN, "the same requests are legal; what is assumed when it is left out is another"),
    Claim("parameter", *second(parameter("q"), parameter("q", content={JSON: {"schema": STRING}})), NO, NO, "written as JSON"),
    Claim("parameter", *second(parameter("q", content={JSON: {"schema": thing(a=STRING)}}), parameter("q", content={JSON: {"schema": thing(["a"], a=STRING)}})), NO, YES, "more is demanded in the JSON"),
    Claim("parameter", *second(parameter("q", content={JSON: {"schema": STRING}}), parameter("q", content={"application/xml": {"schema": STRING}})), NO, NO, "written in another media type"),
    Claim("parameter style", *second(parameter("q", schema=STRINGS), parameter("q", schema=STRINGS, style="form", explode=True)), YES, YES, "the defaults said"),
    Claim("parameter style", *second(parameter("q", schema=STRINGS), parameter("q", schema=STRINGS, explode=False)), NO, NO, "q=a&q=b or q=a,b"),
    Claim("parameter style", *second(parameter("q"), parameter("q", explode=False)), YES, YES, "a single string is written alike"),
    Claim("parameter style", *second(parameter("q", schema=STRINGS, explode=False), parameter("q", schema=STRINGS, style="spaceDelimited", explode=False)), NO, NO, "written with spaces"),
    Claim("parameter style", *second(parameter("q", schema=STRINGS, style="spaceDelimited", explode=False), parameter("q", schema=STRINGS, style="pipeDelimited", explode=False)), NO, NO, "written with bars"),
    Claim("parameter style", *second(parameter("q", schema=thing(a=STRING)), parameter("q", schema=thing(a=STRING), style="deepObject")), NO, NO, "a=1 or q[a]=1"),
    Claim("parameter style", *second(parameter("q", schema=thing(a=STRING), style="deepObject"), parameter("q", schema=thing(a=STRING, b=STRING), style="deepObject")), YES, NO, "a new optional member; one that is retired (PDB-24)"),
    Claim("parameter style", *second(parameter("q", schema=thing(a=STRING), style="deepObject"), parameter("q", schema=thing(["a"], a=STRING), style="deepObject")), NO, YES, "a member is demanded"),
    Claim("parameter style", *second(parameter("X-List", "header", schema=STRINGS), parameter("X-List", "header", schema=STRINGS, style="simple")), YES, YES, "the default said"),
    Claim("parameter style", *second(parameter("X-List", "header", schema=thing(a=STRING)), parameter("X-List", "header", schema=thing(a=STRING), explode=True)), NO, NO, "a,1 or a=1"),
    Claim("parameter style", *second(parameter("ids", "cookie", schema=STRINGS), parameter("ids", "cookie", schema=STRINGS, explode=False)), NO, NO, "written in another way"),
    Claim("parameter allowReserved", *second(parameter("q"), parameter("q", allowReserved=False)), YES, YES, "the default said"),
    Claim("parameter allowReserved", *second(parameter("q", allowReserved=True), parameter("q")), NO, "", "reserved characters were legal as they are"),
    Claim("parameter allowReserved", *second(parameter("q"), parameter("q", allowReserved=True)), WARN, "", "what is percent-encoded stays legal", doubt="an escape of a reserved character may be told from the character itself (RFC 3986, 2.2)"),
    Claim("parameter", {}, {(*P0, "schema", "maximum"): 50}, NO, YES, "an upper bound lowered"),
    Claim("parameter", {}, {(*P0, "schema", "minimum"): 0}, YES, NO, "a lower bound lowered"),
    Claim("parameter", {}, {(*P0, "schema"): {**STRING, "enum": ["few", "many"]}}, NO, NO, "numbers or words"),
]
BODIES = [
    Claim("request body", {}, {(*CREATE, "requestBody", "required"): False}, YES, NO, "it may be left out; it is demanded"),
    Claim("request body", {}, {(*CREATE, "requestBody", "required"): GONE}, YES, NO, "not required is the default"),
    Claim("request body", {(*PATHS, "/pets", "put"): DONE}, {(*PATHS, "/pets", "put"): {**DONE, "requestBody": {"content": {JSON: {"schema": STRING}}}}}, YES, NO, "an optional body; a body no longer accepted"),
    Claim("request body", {(*PATHS, "/pets", "put"): DONE}, {(*PATHS, "/pets", "put"): {**DONE, "requestBody": {"required": True, "content": {JSON: {"schema": STRING}}}}}, NO, NO, "a demanded body; a body no longer accepted"),
    Claim("request body", {}, {(*CREATE, "requestBody", "description"): "The pet."}, YES, YES, "words only"),
    Claim("request body", {}, {(*CREATE, "requestBody"): ref("Pet", "requestBodies"), ("components", "requestBodies"): {"Pet": {"required": True, "content": {JSON: {"schema": ref("NewPet")}}}}}, YES, YES, "a reference stands for what it refers to"),
    Claim("request body", {}, {(*CREATE, "requestBody"): ref("Pet", "requestBodies"), ("components", "requestBodies"): {"Pet": {"required": True, "content": {JSON: {"schema": PET}}}}}, NO, "", "id is demanded"),
    Claim("media type", {}, {(*CREATE, "requestBody", "content", "application/msgpack"): {"schema": ref("NewPet")}}, YES, NO, "a new content type (PDB-17); one removed"),
    Claim("media type", body({JSON: {"schema": STRING}}), body({"application/xml": {"schema": STRING}}), NO, NO, "another content type"),
    Claim("media type", body({JSON: {"schema": STRING}}), body({"application/*": {"schema": STRING}}), YES, NO, "a range holds the type, and more"),
    Claim("media type", body({"text/plain": {"schema": STRING}}), body({"*/*": {"schema": STRING}}), YES, NO, "a range holds the type, and more"),
    Claim("media type", body({"text/plain": {"schema": STRING}}), body({"application/*": {"schema": STRING}}), NO, NO, "the range does not hold the type"),
    Claim("media type", body({JSON: {"schema": STRING}}), body({"Application/JSON": {"schema": STRING}}), YES, YES, "media types are not case-sensitive"),
    Claim("media type", body({JSON: {"schema": STRING}}), body({"application/*": {"schema": {**STRING, "maxLength": 5}}}), NO, NO, "the range holds the type, but less of it; and back, fewer types"),
    Claim("media type", body({JSON: {"schema": STRING}}), body({JSON: {"schema": STRING}, "application/*": {"schema": INTEGER}}), YES, NO, "the most specific key decides, so JSON stays; a range removed"),
    Claim("media type", body({JSON: {"schema": STRING}}), body({JSON: {"schema": STRING, "example": "a"}}), YES, YES, "words only"),
    Claim("media type", body({JSON: {"schema": STRING}, "text/plain": {"schema": STRING}}), body({"text/plain": {"schema": STRING}, JSON: {"schema": STRING}}), YES, "", "order has no meaning"),
    Claim("media type", body({JSON: {"schema": STRING}}), body({JSON: {}}), YES, NO, "any JSON, or strings only"),
    Claim("encoding", body({"multipart/form-data": {"schema": thing(picture=STRING), "encoding": {"picture": {"contentType": "image/png, image/jpeg"}}}}), body({"multipart/form-data": {"schema": thing(picture=STRING), "encoding": {"picture": {"contentType": "image/png"}}}}), NO, YES, "one type of picture less, or more"),
    Claim("encoding", body({"multipart/form-data": {"schema": thing(picture=STRING), "encoding": {"picture": {"contentType": "image/png"}}}}), body({"multipart/form-data": {"schema": thing(picture=STRING), "encoding": {"picture": {"contentType": "image/*"}}}}), YES, NO, "more types of picture, or fewer"),
    Claim("encoding", body({"multipart/form-data": {"schema": thing(picture=STRING), "encoding": {"picture": {"contentType": "image/png"}}}}), body({"multipart/form-data": {"schema": thing(picture=STRING), "encoding": {"picture": {"contentType": "image/png", "headers": {"X-Size": {"required": True, "schema": INTEGER}}}}}}), NO, "", "a header of the part is demanded"),
    Claim("encoding", body({"application/x-www-form-urlencoded": {"schema": thing(ids=STRINGS)}}), body({"application/x-www-form-urlencoded": {"schema": thing(ids=STRINGS), "encoding": {"ids": {"style": "pipeDelimited", "explode": False}}}}), NO, NO, "written with bars"),
    Claim("encoding", body({"application/x-www-form-urlencoded": {"schema": thing(ids=STRINGS)}}), body({"application/x-www-form-urlencoded": {"schema": thing(ids=STRINGS), "encoding": {"ids": {"style": "form", "explode": True}}}}), YES, YES, "the defaults said"),
    Claim("encoding", body({JSON: {"schema": thing(a=STRING)}}), body({JSON: {"schema": thing(a=STRING), "encoding": {"a": {"contentType": "image/png"}}}}), YES, YES, "it has a meaning for multipart and forms only"),
    Claim("xml", body({"application/xml": {"schema": {**thing(a=STRING), "xml": {"name": "pet"}}}}), body({"application/xml": {"schema": {**thing(a=STRING), "xml": {"name": "animal"}}}}), NO, NO, "another element"),
    Claim("xml", body({"application/xml": {"schema": {**thing(a=STRING), "xml": {"name": "pet"}}}}), body({"application/xml": {"schema": {**thing(a={**STRING, "xml": {"attribute": True}}), "xml": {"name": "pet"}}}}), NO, NO, "an attribute or an element"),
    Claim("xml", body({"application/xml": {"schema": thing(a={**STRINGS, "xml": {"wrapped": True}})}}), body({"application/xml": {"schema": thing(a=STRINGS)}}), NO, NO, "wrapped or not"),
    Claim("xml", body({JSON: {"schema": thing(a=STRING)}}), body({JSON: {"schema": thing(a={**STRING, "xml": {"name": "b"}})}}), YES, YES, "it has a meaning for XML only"),
]
RESPONSES = [
    Claim("responses", answer(s200=said("A.", PET)), answer(s201=said("A.", PET)), NO, NO, "another status"),
    Claim("responses", answer(s200=said("A.", PET)), answer(s200=said("A.", PET), s202=said("Later.")), NO, YES, "a success that was not promised; a promised one that no longer comes"),
    Claim("responses", answer(s200=said("A.", PET)), answer(s200=said("A.", PET), s302=said("Elsewhere.")), NO, YES, "a redirection that was not promised"),
    Claim("responses", answer(s200=said("A.", PET)), answer(s200=said("A.", PET), s429=said("Slowly.", ERROR)), WARN, WARN, "not every error is described: an unknown one is read as the first of its class (RFC 9110, 15)", doubt="strictly, 429 was not promised; OpenAPI does not expect every error to be described"),
    Claim("responses", answer(s200=said("A.", PET), default=said("Error.", ERROR)), answer(s200=said("A.", PET), s429=said("Slowly.", ERROR), default=said("Error.", ERROR)), YES, YES, "the default has promised it"),
    Claim("responses", answer(s200=said("A.", PET), default=said("Error.", ERROR)), answer(s200=said("A.", PET), s429=said("Slowly.", STRING), default=said("Error.", ERROR)), NO, NO, "the default has promised another body"),
    Claim("responses", answer(s200=said("A.", PET), default=said("Error.", ERROR)), answer(s200=said("A.", PET), s4XX=said("Error.", ERROR), default=said("Error.", ERROR)), YES, YES, "the default has promised it"),
    Claim("responses", answer(s2XX=said("A.", PET)), answer(s200=said("A.", PET)), YES, NO, "one of the range; others of the range"),
    Claim("responses", answer(s2XX=said("A.", PET)), answer(s200=said("A.", PET), s2XX=said("A.", PET)), YES, YES, "the range has promised it"),
    Claim("responses", answer(s200=said("A.", PET), s4XX=said("E.", ERROR)), answer(s200=said("A.", PET), s404=said("E.", ERROR), s4XX=said("E.", ERROR)), YES, YES, "the range has promised it"),
    Claim("responses", answer(s200=said("A.", PET), s4XX=said("E.", ERROR)), answer(s200=said("A.", PET), s404=said("E.", INTEGER), s4XX=said("E.", ERROR)), NO, NO, "the range has promised another body"),
    Claim("responses", answer(s2XX=said("A.", PET)), answer(s2XX=said("A.", PET), s202=said("Later.")), NO, YES, "the range has promised a body; a body where none was promised is for a tolerant reader"),
    Claim("responses", answer(s200=said("A.", PET), s404=said("E.", ERROR)), answer(s404=said("E.", ERROR), s200=said("A.", PET)), YES, YES, "order has no meaning"),
    Claim("response", answer(s200=said("A.", PET)), answer(s200=said("A pet, told better.", PET)), YES, YES, "words only"),
    Claim("response", answer(s200=said("A.", PET)), answer(s200=said("A.")), NO, YES, "the body is gone; a body where none was promised is for a tolerant reader"),
    Claim("response", answer(s200=said("A.", PET)), {**answer(s200=ref("Pet", "responses")), ("components", "responses"): {"Pet": said("A.", PET)}}, YES, YES, "a reference stands for what it refers to"),
    Claim("response", answer(s200=said("A.", PET)), {**answer(s200=ref("Pet", "responses")), ("components", "responses"): {"Pet": said("A.", ERROR)}}, NO, NO, "the reference leads to another body"),
    Claim("response", answer(s200=said("A.", PET)), answer(s200={"description": "A.", "content": {JSON: {"schema": PET}, "application/xml": {"schema": PET}}}), YES, NO, "a content type more (PDB-17), or less"),
    Claim("response", answer(s200=said("A.", PET)), answer(s200={"description": "A.", "content": {"application/xml": {"schema": PET}}}), NO, NO, "another content type"),
    Claim("response", answer(s200=said("A.", PET)), answer(s200={"description": "A.", "content": {JSON: {}}}), NO, YES, "any JSON, or pets only"),
    Claim("response", {(*SHOW, "responses", "404"): said("E.", ERROR)}, {(*SHOW, "responses", "404"): said("E.", thing(["message"], message=INTEGER))}, NO, NO, "errors are promised too"),
    Claim("response", {(*SHOW, "responses", "404"): said("E.", ERROR)}, {(*SHOW, "responses", "404"): said("E.", thing(["message"], message=STRING, code=INTEGER, hint=STRING))}, YES, NO, "a new field in errors; a field no longer returned"),
    Claim("response", answer(s200=said("A.", PET)), answer(s200={"description": "A.", "content": {JSON: {"schema": PET, "examples": {"one": {"value": {"id": "1", "name": "Rex"}}}}}}), YES, YES, "words only"),
    Claim("header", answer(s200=said("A.", PET)), answer(s200=said("A.", PET, headers={"X-Rest": {"schema": INTEGER}})), YES, NO, "a new header; one no longer returned (PDB-21)"),
    Claim("header", answer(s200=said("A.", PET)), answer(s200=said("A.", PET, headers={"X-Rest": {"required": True, "schema": INTEGER}})), YES, NO, "a new header; a promised one is gone"),
    Claim("header", answer(s200=said("A.", PET, headers={"X-Rest": {"required": True, "schema": INTEGER}})), answer(s200=said("A.", PET, headers={"X-Rest": {"schema": INTEGER}})), NO, YES, "a promised one may be missing"),
    Claim("header", answer(s200=said("A.", PET, headers={"X-Rest": {"schema": INTEGER}})), answer(s200=said("A.", PET, headers={"x-rest": {"schema": INTEGER}})), YES, YES, "names of headers are not case-sensitive"),
    Claim("header", answer(s200=said("A.", PET, headers={"X-Rest": {"schema": INTEGER}})), answer(s200=said("A.", PET, headers={"X-Left": {"schema": INTEGER}})), NO, NO, "renamed"),
    Claim("header", answer(s200=said("A.", PET, headers={"X-Rest": {"schema": INTEGER}})), answer(s200=said("A.", PET, headers={"X-Rest": {"schema": INTEGER, "description": "What is left.", "deprecated": True}})), NOTE, YES, "words, and a note"),
    Claim("header", answer(s200=said("A.", PET)), answer(s200=said("A.", PET, headers={"Content-Type": {"required": True, "schema": STRING}})), YES, YES, "a header described as Content-Type is ignored"),
    Claim("header", answer(s200=said("A.", PET, headers={"X-Rest": {"schema": INTEGER}})), {**answer(s200=said("A.", PET, headers={"X-Rest": ref("Rest", "headers")})), ("components", "headers"): {"Rest": {"schema": INTEGER}}}, YES, YES, "a reference stands for what it refers to"),
    Claim("header", answer(s200=said("A.", PET, headers={"X-O": {"schema": thing(a=STRING)}})), answer(s200=said("A.", PET, headers={"X-O": {"explode": True, "schema": thing(a=STRING)}})), NO, NO, "a,1 or a=1"),
    Claim("link", answer(s200=said("A.", PET)), answer(s200=said("A.", PET, links={"all": {"operationId": "listPets"}})), YES, WARN, "a link tells what may follow; it is not on the wire"),
    Claim("link", answer(s200=said("A.", PET, links={"self": {"operationId": "showPet", "parameters": {"id": "$response.body#/id"}}})), answer(s200=said("A.", PET, links={"self": {"operationId": "showPet", "parameters": {"id": "$request.path.id"}}})), WARN, WARN, "a link tells what may follow; it is not on the wire"),
    Claim("link", answer(s200=said("A.", PET, links={"self": {"operationId": "showPet"}})), answer(s200=said("A.", PET, links={"self": {"operationId": "showPet", "description": "Again."}})), YES, YES, "words only"),
]
DOCUMENT: Path = ("security",)
ONE: Path = (*LIST, "security")
FLOWS: Path = (*SCHEMES, "oauth", "flows")
SECURITY = [
    Claim("security requirement", {}, {ONE: [{"key": []}]}, NO, YES, "who came without a key is refused; a key is no longer demanded"),
    Claim("security requirement", {}, {DOCUMENT: [{"key": []}]}, NO, YES, "for every operation"),
    Claim("security requirement", {DOCUMENT: [{"key": []}]}, {DOCUMENT: [{"key": []}], ONE: []}, YES, NO, "the operation lifts it"),
    Claim("security requirement", {DOCUMENT: [{"key": []}]}, {DOCUMENT: [{"key": []}], ONE: [{"key": []}]}, YES, YES, "said again"),
    Claim("security requirement", {DOCUMENT: [{"key": []}]}, {DOCUMENT: [{"key": []}], ONE: [{"basic": []}]}, NO, NO, "the operation demands another"),
    Claim("security requirement", {ONE: [{"key": []}]}, {ONE: [{"key": []}, {"basic": []}]}, YES, NO, "an alternative more, or less"),
    Claim("security requirement", {ONE: [{"key": []}]}, {ONE: [{"key": [], "basic": []}]}, NO, YES, "both are demanded, or one"),
    Claim("security requirement", {ONE: [{"key": []}]}, {ONE: [{"key": []}, {}]}, YES, NO, "it may be left out, or not"),
    Claim("security requirement", {ONE: [{"key": []}, {"basic": []}]}, {ONE: [{"basic": []}, {"key": []}]}, YES, YES, "order has no meaning"),
    Claim("security requirement", {ONE: [{"key": []}]}, {ONE: [{"key": []}, {"key": [], "basic": []}]}, YES, YES, "who has both has one"),
    Claim("security requirement", {ONE: [{"oauth": ["read"]}]}, {ONE: [{"oauth": ["read", "write"]}]}, NO, YES, "one scope more is demanded, or less"),
    Claim("security requirement", {ONE: [{"oauth": ["read"]}]}, {ONE: [{"oauth": ["write"]}]}, NO, NO, "another scope"),
    Claim("security requirement", {ONE: [{"oauth": ["read"]}]}, {ONE: [{"oauth": ["read"]}, {"oauth": ["write"]}]}, YES, NO, "either scope will do"),
    Claim("security requirement", {ONE: []}, {}, YES, YES, "no requirement at either level"),
    Claim("security scheme", {ONE: [{"key": []}]}, {ONE: [{"key": []}], (*SCHEMES, "key", "name"): "X-Token"}, NO, NO, "the key is carried elsewhere"),
    Claim("security scheme", {ONE: [{"key": []}]}, {ONE: [{"key": []}], (*SCHEMES, "key", "name"): "x-key"}, YES, YES, "names of headers are not case-sensitive"),
    Claim("security scheme", {ONE: [{"key": []}]}, {ONE: [{"key": []}], (*SCHEMES, "key", "in"): "query"}, NO, NO, "the key is carried elsewhere"),
    Claim("security scheme", {ONE: [{"key": []}]}, {ONE: [{"key": []}], (*SCHEMES, "key"): {"type": "http", "scheme": "digest"}}, NO, NO, "another kind"),
    Claim("security scheme", {ONE: [{"basic": []}]}, {ONE: [{"basic": []}], (*SCHEMES, "basic", "scheme"): "bearer"}, NO, NO, "another kind"),
    Claim("security scheme", {ONE: [{"basic": []}]}, {ONE: [{"basic": []}], (*SCHEMES, "basic", "scheme"): "Basic"}, YES, YES, "schemes of HTTP are not case-sensitive (RFC 9110, 11.1)"),
    Claim("security scheme", {ONE: [{"bearer": []}]}, {ONE: [{"bearer": []}], (*SCHEMES, "bearer", "bearerFormat"): "JWT"}, YES, YES, "a hint, for documentation"),
    Claim("security scheme", {ONE: [{"key": []}]}, {ONE: [{"key": []}], (*SCHEMES, "key", "description"): "Ask us."}, YES, YES, "words only"),
    Claim("security scheme", {ONE: [{"key": []}]}, {ONE: [{"token": []}], (*SCHEMES, "token"): {"type": "apiKey", "name": "X-Key", "in": "header"}}, YES, YES, "the name of a component is not on the wire"),
    Claim("security scheme", {}, {(*SCHEMES, "basic"): GONE}, YES, YES, "nothing refers to it"),
    Claim("oauth flows", {ONE: [{"oauth": ["read"]}]}, {ONE: [{"oauth": ["read"]}], (*FLOWS, "password"): {"tokenUrl": "https://pets.invalid/token", "scopes": {"read": "Read."}}}, YES, NO, "a flow more, or less"),
    Claim("oauth flows", {ONE: [{"oauth": ["read"]}]}, {ONE: [{"oauth": ["read"]}], (*FLOWS, "clientCredentials", "tokenUrl"): "https://login.invalid/token"}, NO, NO, "tokens are to be had elsewhere"),
    Claim("oauth flows", {ONE: [{"oauth": ["read"]}]}, {ONE: [{"oauth": ["read"]}], (*FLOWS, "clientCredentials", "refreshUrl"): "https://pets.invalid/refresh"}, YES, "", "a way more"),
    Claim("oauth flows", {ONE: [{"oauth": ["read"]}]}, {ONE: [{"oauth": ["read"]}], (*FLOWS, "clientCredentials", "scopes", "read"): "To read."}, YES, YES, "words only"),
    Claim("oauth flows", {ONE: [{"oauth": ["read"]}]}, {ONE: [{"oauth": ["read"]}], (*FLOWS, "clientCredentials", "scopes", "admin"): "All."}, YES, "", "a scope more that nothing demands"),
    Claim("security scheme", {ONE: [{"oidc": []}], (*SCHEMES, "oidc"): {"type": "openIdConnect", "openIdConnectUrl": "https://pets.invalid/a"}}, {ONE: [{"oidc": []}], (*SCHEMES, "oidc"): {"type": "openIdConnect", "openIdConnectUrl": "https://pets.invalid/b"}}, NO, NO, "it is to be found elsewhere"),
    Claim("security scheme", {ONE: [{"key": []}], (*SCHEMES, "tls"): {"type": "mutualTLS"}}, {ONE: [{"tls": []}], (*SCHEMES, "tls"): {"type": "mutualTLS"}}, NO, NO, "another kind", (V31,)),
]
SERVERS: Path = ("servers",)
HERE_, THERE = {"url": "https://pets.invalid/v1"}, {"url": "https://other.invalid/v1"}


def variable(default: str, *legal: str) -> Edits:
    """A server whose address has a variable."""
    return {SERVERS: [{"url": "https://{region}.pets.invalid", "variables": {"region": {"default": default, **({"enum": list(legal)} if legal else {})}}}]}


SERVED = [
    Claim("server", {}, {SERVERS: [HERE_, THERE]}, YES, NO, "a server more, or less"),
    Claim("server", {}, {SERVERS: [THERE]}, NO, NO, "another server"),
    Claim("server", {}, {SERVERS: [{"url": "https://pets.invalid/v2"}]}, NO, NO, "another path of the server"),
    Claim("server", {}, {SERVERS: [{**HERE_, "description": "For all."}]}, YES, YES, "words only"),
    Claim("server", {SERVERS: [HERE_, THERE]}, {SERVERS: [THERE, HERE_]}, YES, YES, "both are still there"),
    Claim("server", {SERVERS: [{"url": "/"}]}, {SERVERS: GONE}, YES, YES, "the default said"),
    Claim("server", {SERVERS: [{"url": "http://pets.invalid/v1"}]}, {}, NO, NO, "another scheme"),
    Claim("server", {}, {(*LIST, "servers"): [THERE]}, NO, NO, "the operation is served elsewhere"),
    Claim("server", {}, {(*LIST, "servers"): [HERE_]}, YES, YES, "said again"),
    Claim("server", {SERVERS: [{"url": "https://pets.invalid"}], PATHS: {"/v1/shops": ITEM}}, {SERVERS: [HERE_], PATHS: {"/shops": ITEM}}, YES, YES, "the server's address and the path make the same whole"),
    Claim("server variable", variable("eu", "eu", "us"), variable("eu", "eu", "us", "as"), YES, NO, "a region more, or less"),
    Claim("server variable", variable("eu", "eu", "us"), variable("us", "eu", "us"), WARN, WARN, "both are still there; another is taken where none is said"),
    Claim("server variable", variable("eu", "eu"), {SERVERS: [{"url": "https://eu.pets.invalid"}]}, YES, YES, "the same address"),
    Claim("server variable", variable("eu", "eu", "us"), variable("eu", "us", "eu"), YES, YES, "order has no meaning"),
]


def calls(method: str = "post", key: str = "{$request.body#/url}", name: str = "made", *, schema: Any = PET, statuses: tuple[str, ...] = ("200",), **more: Any) -> Edits:
    """A callback: what the server sends to the client, and what the client may answer."""
    told = {"requestBody": {"required": True, "content": {JSON: {"schema": schema}}}, "responses": {status: said() for status in statuses}, **more}
    return {(*CREATE, "callbacks"): {name: {key: {method: told}}}}


def hook(name: str = "made", *, schema: Any = PET, statuses: tuple[str, ...] = ("200",), method: str = "post", **more: Any) -> Edits:
    """A webhook: what the server sends to the client, and what the client may answer."""
    told = {"requestBody": {"required": True, "content": {JSON: {"schema": schema}}}, "responses": {status: said() for status in statuses}, **more}
    return {("webhooks",): {name: {method: told}}}


KIND, KINDS = thing(["kind"], kind={**STRING, "enum": ["a"]}), thing(["kind"], kind={**STRING, "enum": ["a", "b"]})
CALLED = [
    claim
    for about, make, versions in (("callback", calls, (V30, V31)), ("webhook", hook, (V31,)))
    for claim in (
        Claim(about, {}, make(), YES, NO, "a new one that old clients do not ask for or listen to; one that is called no more", versions),
        Claim(about, make(), make(schema=thing(["id", "name"], id=STRING, name=STRING, tag=STRING, age=INTEGER)), YES, NO, "the client reads here: a new field is compatible, one that is gone is not", versions),
        Claim(about, make(schema=KIND), make(schema=KINDS), NO, YES, "the client reads here: one value more", versions),
        Claim(about, make(schema=thing(["a"], a=STRING)), make(schema=thing(a=STRING)), NO, YES, "the client reads here: a promised field may be missing", versions),
        Claim(about, make(schema=thing(a=INTEGER)), make(schema=thing(a=STRING)), NO, NO, "another type", versions),
        Claim(about, make(statuses=("200",)), make(statuses=("200", "202")), YES, NO, "the client writes here: it may answer in one way more, or less", versions),
        Claim(about, make(statuses=("200",)), make(statuses=("204",)), NO, NO, "the client's answer is no longer accepted", versions),
        Claim(about, make(method="post"), make(method="put"), NO, NO, "another method", versions),
        Claim(about, make(), make(summary="Told."), YES, YES, "words only", versions),
        Claim(about, make(responses={"200": said("Taken.", thing(a=STRING))}), make(responses={"200": said("Taken.", thing(["a"], a=STRING))}), NO, YES, "the client writes here: more is demanded of its answer", versions),
        Claim(about, make(responses={"200": said("Taken.", INTEGER)}), make(responses={"200": said("Taken.", {"type": "number"})}), YES, NO, "the client writes here: more is accepted of its answer", versions),
    )
]
CALLED += [
    Claim("callback", calls(), calls(key="{$request.query.url}"), NO, NO, "the address is taken from elsewhere"),
    Claim("callback", calls(), calls(name="created"), YES, YES, "the name of a callback is not on the wire"),
    Claim("callback", calls(), {(*CREATE, "callbacks"): {"made": ref("made", "callbacks")}, ("components", "callbacks"): {"made": calls()[(*CREATE, "callbacks")]["made"]}}, YES, YES, "a reference stands for what it refers to"),
    Claim("webhook", hook(), hook("created"), NO, NO, "the name of a webhook is how it is known", (V31,)),
    Claim("webhook", {}, {("components", "pathItems"): {"unused": {"get": DONE}}}, YES, YES, "what nothing refers to is not on the wire", (V31,)),
    Claim("webhook", hook(), {("webhooks",): {"made": ref("made", "pathItems")}, ("components", "pathItems"): {"made": hook()[("webhooks",)]["made"]}}, YES, YES, "a reference stands for what it refers to", (V31,)),
]
ROWS = [*INFO, *PATH_ITEMS, *OPERATIONS, *PARAMETERS, *BODIES, *RESPONSES, *SECURITY, *SERVED, *CALLED]
