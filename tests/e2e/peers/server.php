<?php
// The invented library on PHP's own SoapServer: `php -S 127.0.0.1:PORT server.php`. The path chooses the WSDL and with
// it the style: /loans and /loans12 are document/literal (PHP answers in the version it is asked in), /loans-rpc is
// rpc/literal and /loans-encoded rpc/encoded.

declare(strict_types=1);
ini_set('soap.wsdl_cache_enabled', '0');
ini_set('serialize_precision', '-1');
ini_set('display_errors', '0');

/** JSON as the gateway maps it, as PHP's SOAP wants it: an attribute is a property, an element's text is `_`. */
function plain(mixed $value): mixed
{
    if (!is_array($value)) {
        return $value;
    }
    $plain = [];
    foreach ($value as $key => $each) {
        $plain[$key === '$value' ? '_' : (is_string($key) ? ltrim($key, '@') : $key)] = plain($each);
    }
    return $plain;
}

/** The operations. What each returns is what stands in its response. */
class Library
{
    private array $data;
    private ?object $counter = null;

    public function __construct(private SoapServer $server)
    {
        $this->data = json_decode(file_get_contents(__DIR__ . '/library.json'), true);
    }

    /** The header block of this name. */
    public function Counter(object $counter): void
    {
        $this->counter = $counter;
    }

    public function FindTitles(string $text): array
    {
        return ['titles' => ['title' => plain($this->found($text))]];
    }

    public function FindItems(string $text): array
    {
        return ['items' => plain($this->found($text))];
    }

    public function PriceItem(object $item): array
    {
        return ['price' => $item->price];
    }

    public function GetLoan(int $id): array
    {
        if (!isset($this->data['loans'][$id])) {
            $detail = ['id' => $id, 'reason' => 'no such loan', 'checkedOn' => '2026-03-01'];
            throw new SoapFault('Client', 'There is no such loan.', null, $detail, 'LoanNotFound');
        }
        return ['loan' => plain($this->data['loans'][$id])];
    }

    public function RecordLoan(object $loan): array
    {
        return ['loan' => $loan];
    }

    public function RenewLoan(int $id, string $until): array
    {
        $receipt = ['number' => $id, 'desk' => $this->counter->desk ?? 'nobody'];
        $this->server->addSoapHeader(new SoapHeader('urn:example:loans', 'Receipt', $receipt));
        return ['until' => $until];
    }

    public function GetCover(string $isbn): array
    {
        return ['image' => implode('', array_map(fn($at) => chr($at * 31 % 256), range(0, 49999)))];
    }

    public function PutCover(string $isbn, string $image): array
    {
        return ['digest' => sha1($image)];
    }

    public function OpenUntil(): array
    {
        return ['at' => $this->data['open_until']];
    }

    private function found(string $text): array
    {
        return array_values(array_filter($this->data['titles'], fn($each) => str_contains($each['name'], $text)));
    }
}

/** Calls the library as the style has it: document hands over one wrapper, rpc one argument for each part. */
class Door
{
    public function __construct(private Library $library, private bool $rpc)
    {
    }

    public function __call(string $name, array $given): mixed
    {
        if ($name === 'Counter') {
            return $this->library->Counter($given[0]);
        }
        $answer = $this->library->$name(...($this->rpc ? $given : (array) ($given[0] ?? [])));
        return $this->rpc && count($answer) === 1 ? reset($answer) : $answer;
    }
}

$wsdl = basename(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH), '12');
$server = new SoapServer(__DIR__ . "/$wsdl.wsdl", ['features' => SOAP_SINGLE_ELEMENT_ARRAYS]);
$server->setObject(new Door(new Library($server), $wsdl !== 'loans'));
$server->handle();
